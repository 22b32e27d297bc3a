import itertools

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from thinc.types import Ragged

from spacy_medflat.ner.tag_groups import make_tag_groups
from spacy_medflat.ner.tagging import LinearNestedHead, TagScores

from .chains import distribution, spans_in
from .test_pointer_head import gold_spans

LABELS = ("bod", "sym", "dis")
TAGS = make_tag_groups([["sym"]], LABELS)
HEADS = [LinearNestedHead((("sym",),), crf) for crf in (True, False)]


def features_of(head, lengths, seed=0, scale=1.0):
    """Random features whose rows repeat the same weights, as those of the module do."""
    torch.manual_seed(seed)
    sizes = head.sizes(LABELS)
    tags = torch.randn(sum(lengths), sizes["n_tags"], dtype=torch.float64)
    return torch.cat([tags, torch.randn(sizes["n_moves"], dtype=torch.float64).expand(len(tags), -1)], 1) * scale


def weights_of(head, features):
    """Scores of tags, starts and moves, written out."""
    n = TAGS.n_tags
    start, moves = (torch.full(size, -torch.inf, dtype=torch.float64) for size in ((n,), (n, n)))
    values = iter(features[0, n:])
    for tag in range(n):
        if not head.crf:
            start[tag] = 0.0
        elif TAGS.starts[tag]:
            start[tag] = next(values)
    for i, j in itertools.product(range(n), repeat=2):
        if head.crf and TAGS.moves[i, j]:
            moves[i, j] = next(values)
        elif not head.crf and TAGS.same_group[i, j]:
            moves[i, j] = 0.0
    return features[:, :n], start, moves


def naive_loss(head, features, lengths, rows, texts):
    tags, start, moves = weights_of(head, features)
    total = torch.zeros((), dtype=torch.float64)
    for doc, text in enumerate(tags.split(lengths)):
        if doc not in texts or not len(text):
            continue
        for group in range(TAGS.n_groups):
            gold = [int(TAGS.outside[group])] * len(text)
            for _, s, e, label in (row for row in rows if row[0] == doc and TAGS.group[row[3]] == group):
                gold[s:e] = [int(TAGS.begin[label])] + [int(TAGS.begin[label]) + 1] * (e - s - 1)
            scored, partition = distribution(text, start, moves, np.flatnonzero(TAGS.group_of_tag == group).tolist())
            total = total + partition - dict(scored)[tuple(gold)]
    return total


@pytest.mark.parametrize("head", HEADS)
@pytest.mark.parametrize("annotated", [[True] * 4, [True, True, False, False], [False] * 4])
def test_loss_and_gradient_equal_the_sum_over_all_sequences(head, annotated):
    lengths = [4, 0, 1, 3]
    rows = [(0, 0, 2, 0), (0, 2, 3, 0), (0, 0, 4, 1), (2, 0, 1, 2), (3, 1, 3, 2)]
    features = features_of(head, lengths).requires_grad_(True)
    naive = naive_loss(head, features, lengths, rows, np.flatnonzero(annotated))
    (naive_gradient,) = torch.autograd.grad(naive, features) if any(annotated) else (torch.zeros_like(features),)
    ragged = Ragged(features.detach().numpy(), np.array(lengths, dtype="i"))
    loss, gradient = head.loss(ragged, gold_spans(rows, 4, annotated), LABELS)
    assert loss == pytest.approx(naive.item(), rel=1e-12)
    n = TAGS.n_tags
    np.testing.assert_allclose(gradient.data[:, :n], naive_gradient[:, :n], rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(gradient.data[:, n:].sum(0), naive_gradient[:, n:].sum(0), rtol=1e-9, atol=1e-12)
    assert gradient.lengths.tolist() == lengths


def naive_spans(head, features):
    """The probability of every span of one text, as the share of the sequences that have it."""
    tags, start, moves = weights_of(head, features)
    shares = {}
    for label in range(len(LABELS)):
        group = np.flatnonzero(TAGS.group_of_tag == TAGS.group[label]).tolist()
        scored, partition = distribution(tags, start, moves, group)
        for i in range(len(tags)):
            for j in range(i + 1, len(tags) + 1):
                shares[i, j, label] = 0.0
        for sequence, score in scored:
            for span in spans_in(sequence, TAGS.begin[label]):
                shares[(*span, label)] += (score - partition).exp().item()
    return shares


@pytest.mark.parametrize("head", HEADS)
@settings(max_examples=8)
@given(
    lengths=st.lists(st.integers(0, 4), min_size=1, max_size=3),
    seed=st.integers(0, 1000),
    floors=st.lists(st.sampled_from([-np.inf, -3.0, -0.5, 0.0, np.inf]), min_size=3, max_size=3),
    scale=st.sampled_from([1.0, 4.0]),
)
def test_candidates_are_the_spans_above_the_floor_of_their_label(head, lengths, seed, floors, scale):
    features = features_of(head, lengths, seed, scale)
    found = head.candidates(Ragged(features.numpy(), np.array(lengths, dtype="i")), np.array(floors), LABELS)
    assert len(found) == len(lengths)
    for text, candidates in zip(features.split(lengths), found, strict=True):
        shares = naive_spans(head, text) if len(text) else {}
        floor = 1 / (1 + np.exp(-np.array(floors)))
        expected = {span: share for span, share in shares.items() if share > floor[span[2]]}
        spans = list(zip(*(column.tolist() for column in candidates[:3]), strict=True))
        assert spans == sorted(expected, key=lambda s: (s[0], -s[1], s[2]))
        assert candidates.score.dtype == np.float32
        np.testing.assert_allclose(candidates.score, [expected[span] for span in spans], rtol=1e-5)


@pytest.mark.parametrize("head", HEADS)
def test_batches_do_not_matter(head):
    lengths = [3, 9, 0, 30, 1]
    features = features_of(head, lengths)
    ragged = Ragged(features.numpy(), np.array(lengths, dtype="i"))
    floors = np.full(3, -4.0)
    together = head.candidates(ragged, floors, LABELS)
    for text, found in zip(features.split(lengths), together, strict=True):
        (alone,) = head.candidates(Ragged(text.numpy(), np.array([len(text)], dtype="i")), floors, LABELS)
        for ours, theirs in zip(found, alone, strict=True):
            np.testing.assert_allclose(ours, theirs, rtol=1e-6)


@pytest.mark.parametrize("head", HEADS)
def test_large_scores_give_finite_gradients(head):
    features = features_of(head, [12, 5], scale=100.0).float().numpy()
    loss, gradient = head.loss(Ragged(features, np.array([12, 5], dtype="i")), gold_spans([(0, 3, 5, 1)], 2), LABELS)
    assert np.isfinite(loss) and np.isfinite(gradient.data).all() and gradient.data.dtype == np.float32


@pytest.mark.parametrize("head", HEADS)
def test_a_batch_without_tokens(head):
    empty = Ragged(np.zeros((0, sum(head.sizes(LABELS).values())), dtype="f"), np.zeros(2, dtype="i"))
    loss, gradient = head.loss(empty, gold_spans([], 2), LABELS)
    assert loss == 0.0 and gradient.data.shape == empty.data.shape
    assert [len(found.start) for found in head.candidates(empty, np.zeros(3), LABELS)] == [0, 0]


def test_a_wide_span_is_found_in_one_piece():
    n = 3000
    features = np.full((n, TAGS.n_tags), -30.0, dtype="f")
    features[:, [0, TAGS.begin[2] + 1]] = 0.0
    features[0, TAGS.begin[2]] = 30.0
    (found,) = HEADS[1].candidates(Ragged(features, np.array([n], dtype="i")), np.zeros(3), LABELS)
    assert [(c.tolist()) for c in found[:3]] == [[0], [n], [2]] and found.score[0] > 0.999


@pytest.mark.parametrize("head", HEADS)
def test_the_gradient_reaches_the_weights_of_the_module(head):
    torch.manual_seed(0)
    lengths = [5, 3]
    module = TagScores(6, **head.sizes(LABELS)).double()
    x = torch.randn(8, 6, dtype=torch.float64)
    rows = [(0, 0, 2, 0), (1, 1, 3, 1)]

    def loss_of(module):
        ragged = Ragged(module(x).detach().numpy(), np.array(lengths, dtype="i"))
        return head.loss(ragged, gold_spans(rows, 2), LABELS)

    features = module(x)
    _, gradient = loss_of(module)
    features.backward(torch.from_numpy(gradient.data))
    step = 1e-6
    for name, parameter in module.named_parameters():
        flat, slope = parameter.data.view(-1), parameter.grad.view(-1)
        for i in range(0, len(flat), max(1, len(flat) // 7)):
            flat[i] += step
            above, _ = loss_of(module)
            flat[i] -= 2 * step
            below, _ = loss_of(module)
            flat[i] += step
            assert (above - below) / (2 * step) == pytest.approx(slope[i].item(), abs=1e-6), (name, i)
    assert (module.moves is None) == (not head.crf)
