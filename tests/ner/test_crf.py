import numpy as np
import pytest
import torch

from spacy_medflat.ner import crf as crf_module
from spacy_medflat.ner.crf import make_steps, run_chains

from .chains import distribution

# Two groups, of two and of three tags. Tag 4 may neither begin a text nor follow tag 2.
GROUP = torch.tensor([0, 0, 1, 1, 1])
LENGTHS = [3, 0, 1, 4, 2]


@pytest.fixture(params=[1.0, 30.0])
def scores(request):
    torch.manual_seed(0)
    emissions, start, moves = (torch.randn(*n, dtype=torch.float64) for n in ((sum(LENGTHS), 5), (5,), (5, 5)))
    moves[GROUP[:, None] != GROUP] = -torch.inf
    moves[2, 4] = start[4] = -torch.inf
    return emissions * request.param, start * request.param, moves * request.param


def texts(emissions):
    return [text for text in emissions.split(LENGTHS) if len(text)]


def run(emissions, start, moves, lengths=LENGTHS):
    return run_chains(emissions, start, moves, GROUP, 2, make_steps(np.array(lengths)))


def test_the_partition_is_the_sum_over_all_sequences(scores):
    emissions, start, moves = scores
    naive = [[distribution(text, start, moves, tags)[1] for tags in ((0, 1), (2, 3, 4))] for text in texts(emissions)]
    torch.testing.assert_close(run(*scores).log_partition, torch.tensor(naive, dtype=torch.float64), rtol=1e-12, atol=0)


def test_marginals_are_shares_of_all_sequences(scores):
    emissions, start, moves = scores
    naive = torch.zeros_like(emissions)
    first = 0
    for text in texts(emissions):
        for tags in ((0, 1), (2, 3, 4)):
            scored, partition = distribution(text, start, moves, tags)
            for sequence, score in scored:
                naive[range(first, first + len(text)), sequence] += (score - partition).exp()
        first += len(text)
    torch.testing.assert_close(run(*scores).log_marginals().exp(), naive, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("chunk_rows", [1, 4096])
def test_marginals_and_expected_moves_are_the_gradient_of_the_partition(monkeypatch, scores, chunk_rows):
    monkeypatch.setattr(crf_module, "CHUNK_ROWS", chunk_rows)
    weight = torch.tensor([0.5, 1.0, 0.0, 3.0], dtype=torch.float64)
    leaves = [part.clone().requires_grad_(True) for part in scores]
    partitions = [distribution(text, *leaves[1:], tags)[1] for text in texts(leaves[0]) for tags in ((0, 1), (2, 3, 4))]
    total = sum(part * w for part, w in zip(partitions, weight.repeat_interleave(2), strict=True))
    d_emissions, d_start, d_moves = torch.autograd.grad(total, leaves)
    chains = run(*scores)
    marginals = chains.log_marginals().exp() * weight[chains.steps.text][:, None]
    torch.testing.assert_close(marginals, d_emissions, rtol=1e-9, atol=1e-12)
    torch.testing.assert_close(marginals[chains.steps.first].sum(0), d_start, rtol=1e-9, atol=1e-12)
    torch.testing.assert_close(chains.expected_moves(weight), d_moves, rtol=1e-9, atol=1e-12)


def test_going_on_makes_conditional_probabilities(scores):
    chains = run(*scores)
    conditional = chains.log_going_on()[:, None, :] + chains.moves - chains.backward[:, :, None]
    lasts = torch.zeros(sum(LENGTHS), dtype=torch.bool)
    lasts[chains.steps.last] = True
    sums = torch.stack([conditional[..., group == GROUP].exp().sum(-1) for group in range(2)], -1)
    inside = sums.gather(-1, GROUP.expand(len(sums), -1)[..., None])[..., 0]
    torch.testing.assert_close(inside, (~lasts).double()[:, None].expand_as(inside), rtol=1e-9, atol=0)


def test_a_text_alone_gives_what_it_gives_among_others(scores):
    emissions, start, moves = scores
    together = run(*scores)
    for i, (text, first) in enumerate(zip(texts(emissions), together.steps.first.tolist(), strict=True)):
        alone = run(text, start, moves, [len(text)])
        rows = slice(first, first + len(text))
        for name in ("forward", "backward"):
            torch.testing.assert_close(getattr(together, name)[rows], getattr(alone, name), rtol=1e-14, atol=0)
        torch.testing.assert_close(together.log_partition[i : i + 1], alone.log_partition, rtol=1e-14, atol=0)


def test_a_long_text_keeps_its_precision():
    torch.manual_seed(0)
    n = 20_000
    emissions = 5 * torch.randn(n, 5, dtype=torch.float64)
    moves = torch.zeros(5, 5, dtype=torch.float64)
    moves[GROUP[:, None] != GROUP] = -torch.inf
    chains = run(emissions, torch.zeros(5, dtype=torch.float64), moves, [n])
    # Without scores of moves the tags of a group are independent of each other.
    naive = torch.cat([emissions[:, group == GROUP].log_softmax(1) for group in range(2)], dim=1)
    torch.testing.assert_close(chains.log_marginals(), naive, rtol=0, atol=1e-8)
