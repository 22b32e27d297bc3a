"""LinearNested: several tag sequences over one encoder, each a conditional random field or a softmax for each token."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from thinc.api import torch2xp, xp2torch
from thinc.types import Ragged
from torch import Tensor, nn

from .crf import Chains, make_steps, run_chains
from .head import lengths_of
from .spans import Candidates, GoldSpans, split_by_text
from .tag_groups import TagGroups, make_tag_groups

Floats2d = NDArray[np.float64]


@torch.no_grad()
def find_tagged_spans(
    chains: Chains, tags: TagGroups, lengths: NDArray[np.int64], floors: NDArray[np.floating]
) -> list[Candidates]:
    """All spans of a batch whose probability is above the floor of their label.

    lengths (int64 [texts]): tokens of each text.
    floors (float [labels]): logits of probabilities; a span needs more than this.
    """
    floor = -np.logaddexp(0.0, -np.asarray(floors, dtype=np.float64))
    begin = torch.from_numpy(tags.begin).to(chains.forward.device)
    starts = chains.log_marginals()[:, begin].cpu().numpy()
    first, others = (_going_on(chains, begin + tag, begin + 1) for tag in (0, 1))
    start, label = (starts > floor).nonzero()
    chain = starts[start, label]
    end, on = start, first
    found = [(start[:0], end[:0], label[:0], chain[:0])]
    while len(start):
        next_inside = on[end, label]
        score = np.minimum(chain + _log_1_minus_exp(next_inside), 0.0)
        hits = score > floor[label]
        found.append((start[hits], end[hits] + 1, label[hits], np.exp(score[hits])))
        chain = chain + next_inside
        alive = chain > floor[label]
        start, label, chain = start[alive], label[alive], chain[alive]
        end, on = end[alive] + 1, others
    start, end, label, score = (np.concatenate(column) for column in zip(*found, strict=True))
    doc = np.repeat(np.arange(len(lengths)), lengths)[start]
    offset = (np.cumsum(lengths) - lengths)[doc]
    spans = Candidates(start - offset, end - offset, label, score.astype(np.float32))
    return split_by_text(doc, spans, len(lengths))


def _going_on(chains: Chains, here: torch.Tensor, inside: torch.Tensor) -> Floats2d:
    """log P(y_{t+1} = inside | y_t = here), for tags of each label (float64 [tokens, labels])."""
    on = chains.log_going_on()[:, inside] + chains.moves[here, inside] - chains.backward[:, here]
    return on.cpu().numpy()


def _log_1_minus_exp(x: Floats2d) -> Floats2d:
    """log(1 - exp(x)), finite for every x; rounding may make a log probability larger than 0."""
    return np.log(-np.expm1(np.minimum(x, -np.finfo(np.float64).tiny)))


class TagScores(nn.Module):
    """Scores of the tags at each token, and `n_moves` scores of starts and moves, which every row repeats.

    So the weights of a CRF reach the head as a part of the tokens' features, and its gradient reaches them.
    """

    def __init__(self, n_in: int, n_tags: int, n_moves: int, dropout: float = 0.0):
        super().__init__()
        self.dropout = nn.Dropout(dropout)
        self.tags = nn.Linear(n_in, n_tags)
        self.moves = nn.Parameter(torch.zeros(n_moves)) if n_moves else None

    def forward(self, x: Tensor) -> Tensor:
        """x (float [tokens, n_in]) → features (float [tokens, n_tags + n_moves])."""
        tags = self.tags(self.dropout(x))
        return tags if self.moves is None else torch.cat([tags, self.moves.expand(*x.shape[:-1], -1)], dim=-1)


@dataclass(frozen=True)
class LinearNestedHead:
    """Tags each group of labels with a BIO sequence; spans of different groups may overlap, those of one group not.

    The loss is the negative log-likelihood of the gold sequences. A span's score is its exact probability, so the spans
    of a group that are found may overlap too, if a threshold below 1/2 lets them.

    groups: names of labels; labels without a group share a last one.
    crf (bool): learn the scores of starts and moves, and allow only those that BIO allows. Otherwise the tags of a text
        are independent of each other.
    """

    groups: tuple[tuple[str, ...], ...]
    crf: bool

    def sizes(self, labels: Sequence[str]) -> dict[str, int]:
        tags = make_tag_groups(self.groups, labels)
        return {"n_tags": tags.n_tags, "n_moves": int(tags.starts.sum() + tags.moves.sum()) if self.crf else 0}

    def out_of_reach(self, gold: GoldSpans, labels: Sequence[str]) -> dict[str, NDArray[np.bool_]]:
        tags = make_tag_groups(self.groups, labels)
        return {"overlapping a longer one of their tag sequence": tags.overlapping(gold)}

    def loss(self, features: Ragged, gold: GoldSpans, labels: Sequence[str]) -> tuple[float, Ragged]:
        x, lengths = xp2torch(features.dataXd).detach(), lengths_of(features)
        gradient = torch.zeros_like(x)
        loss = 0.0
        if len(x):
            tags = make_tag_groups(self.groups, labels)
            chains, start = self._chains(x, lengths, tags)
            annotated = torch.from_numpy(gold.annotated[lengths > 0]).to(x.device)
            gold_tags = torch.from_numpy(tags.tag(gold, lengths)).to(x.device)
            loss, d_tags = _negative_log_likelihood(chains, start, gold_tags, annotated)
            gradient[:, : tags.n_tags] = d_tags
            if self.crf:
                starts, moves = _allowed(tags, x.device)
                d_start = d_tags[chains.steps.first].sum(0)
                d_moves = _gradient_of_moves(chains, gold_tags, annotated)
                # All rows repeat the same weights. Their gradients would be summed, so that it can stand in one row.
                gradient[0, tags.n_tags :] = torch.cat([d_start[starts], d_moves[moves]])
        return loss, Ragged(torch2xp(gradient), features.lengths)

    def candidates(self, features: Ragged, floors: NDArray[np.floating], labels: Sequence[str]) -> list[Candidates]:
        x, lengths = xp2torch(features.dataXd), lengths_of(features)
        if not len(x):
            return [Candidates.empty() for _ in lengths]
        tags = make_tag_groups(self.groups, labels)
        chains, _ = self._chains(x, lengths, tags)
        return find_tagged_spans(chains, tags, lengths, floors)

    def _chains(self, x: Tensor, lengths: NDArray[np.int64], tags: TagGroups) -> tuple[Chains, Tensor]:
        """The chains, and the scores of starts (float64 [tags])."""
        group = torch.from_numpy(tags.group_of_tag).to(x.device)
        emissions = x[:, : tags.n_tags].double()
        if self.crf:
            starts, moves = _allowed(tags, x.device)
            weights = x[0, tags.n_tags :].double()
            start = torch.full_like(emissions[0], -torch.inf)
            move = torch.full_like(start, -torch.inf).repeat(tags.n_tags, 1)
            start[starts], move[moves] = weights.split([int(starts.sum()), int(moves.sum())])
        else:
            start = torch.zeros_like(emissions[0])
            move = torch.zeros(tags.n_tags, tags.n_tags, dtype=torch.float64, device=x.device)
            move[~torch.from_numpy(tags.same_group).to(x.device)] = -torch.inf
        return run_chains(emissions, start, move, group, make_steps(lengths, x.device)), start


def _allowed(tags: TagGroups, device: torch.device) -> tuple[Tensor, Tensor]:
    return torch.from_numpy(tags.starts).to(device), torch.from_numpy(tags.moves).to(device)


def _negative_log_likelihood(chains: Chains, start: Tensor, gold: Tensor, texts: Tensor) -> tuple[float, Tensor]:
    """The loss, summed over groups and some texts, and its gradient for the emissions.

    A gradient of it is how often something is expected, less how often it is in the gold.

    start (float64 [tags]): scores of starts.
    gold (int64 [tokens, groups]): the tag of each token.
    texts (bool [texts with tokens]): the texts that count.
    RETURNS: the loss, and its gradient (float64 [tokens, tags]).
    """
    counts = texts[chains.steps.text]
    scores = chains.emissions.gather(1, gold)[counts].sum() + start[gold[chains.steps.first[texts]]].sum()
    scores += chains.moves[_gold_moves(chains, gold, texts)].sum()
    gradient = chains.log_marginals().exp()
    gradient.scatter_add_(1, gold, torch.full_like(gold, -1.0, dtype=gradient.dtype))
    gradient[~counts] = 0.0
    return float(chains.log_partition[texts].sum() - scores), gradient


def _gradient_of_moves(chains: Chains, gold: Tensor, texts: Tensor) -> Tensor:
    """The gradient for the scores of moves (float64 [tags, tags]); arguments as above."""
    gradient = chains.expected_moves(texts)
    moves = _gold_moves(chains, gold, texts)
    return gradient.index_put(moves, torch.full_like(moves[0], -1.0, dtype=gradient.dtype), accumulate=True)


def _gold_moves(chains: Chains, gold: Tensor, texts: Tensor) -> tuple[Tensor, Tensor]:
    """The tags before and after each gold move (int64 [pairs of tokens, groups] each)."""
    rows = (chains.steps.follows & texts[chains.steps.text]).nonzero().flatten()
    return gold[rows - 1], gold[rows]
