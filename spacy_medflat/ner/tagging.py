"""LinearNested: several tag sequences over one encoder, each a conditional random field or a softmax for each token."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from ..runtime import to_device
from .crf import Chains, make_steps, run_chains
from .spans import Candidates, GoldSpans, best_of_each_start, split_by_text, warn_of_dropped
from .tag_groups import TagGroups, make_tag_groups

# A less probable span is no candidate, even where the threshold is 0.
LOWEST_LOG_PROBABILITY = float(np.log(1e-4))


class TagFeatures(NamedTuple):
    """The scores of tag sequences.

    emissions (float [tokens, tags]): of each tag at each token.
    transitions (float [transitions]): of the tags that may begin a text, then of the moves from one tag to another that
        are allowed, row by row; empty without a CRF.
    """

    emissions: Tensor
    transitions: Tensor


class TagScores(nn.Module):
    """Scores of the tags at each token, and `n_moves` scores of starts and moves."""

    def __init__(self, n_in: int, n_tags: int, n_moves: int, dropout: float = 0.0):
        super().__init__()
        self.dropout = nn.Dropout(dropout)
        self.tags = nn.Linear(n_in, n_tags)
        self.moves = nn.Parameter(torch.zeros(n_moves)) if n_moves else None

    def forward(self, x: Tensor) -> TagFeatures:
        """Make the features of a batch.

        x (float [tokens, n_in]): vectors of the tokens of all texts, concatenated.
        """
        return TagFeatures(self.tags(self.dropout(x)), x.new_zeros(0) if self.moves is None else self.moves)


@dataclass(frozen=True)
class LinearNestedHead:
    """Tags each group of labels with a BIO sequence; spans of different groups may overlap, those of one group not.

    The loss is the negative log-likelihood of the gold sequences. Where spans may be there or not, several tags are
    permitted at their tokens, and the likelihood is that of all permitted sequences (Tsuboi et al., "Training
    Conditional Random Fields Using Incomplete Annotations", COLING 2008). A span's score is its exact probability, so
    the spans of a group that are found may overlap too, if a threshold below 1/2 lets them.

    groups (tuple of tuples of str): labels by group; labels without a group share a last one.
    crf (bool): learn the scores of starts and moves, and allow only those that BIO allows. Otherwise the tags of a text
        are independent of each other.
    """

    groups: tuple[tuple[str, ...], ...]
    crf: bool

    def sizes(self, labels: Sequence[str]) -> dict[str, int]:
        tags = make_tag_groups(self.groups, labels)
        return {"n_tags": tags.n_tags, "n_moves": len(self._allowed(tags)) if self.crf else 0}

    def out_of_reach(self, gold: GoldSpans, labels: Sequence[str]) -> dict[str, NDArray[np.bool_]]:
        tags = make_tag_groups(self.groups, labels)
        return {"overlapping a longer one of their tag sequence": tags.overlapping(gold)}

    @torch.no_grad()
    def loss(
        self, features: TagFeatures, lengths: NDArray[np.int64], gold: GoldSpans, labels: Sequence[str]
    ) -> tuple[float, TagFeatures]:
        # The gradient for a score is how often its tag, start or move is expected, less how often it is expected among
        # the sequences that agree with the gold.
        tags = make_tag_groups(self.groups, labels)
        chains, start = self._chains(features, lengths, tags)
        device = features.emissions.device
        weight = to_device(gold.text_weights()[lengths > 0], device)
        gold_tags = tags.tag(gold, lengths)
        total = expectations(chains, weight, self.crf)
        if gold.unknown is not None and len(gold.unknown.doc):
            # Several sequences agree with these texts.
            vague = np.zeros(len(lengths), dtype=np.bool_)
            vague[gold.unknown.doc] = True
            tokens = np.flatnonzero(np.repeat(vague, lengths))
            rows = to_device(tokens, device)
            permitted = to_device(tags.permit(gold_tags, gold.unknown, lengths)[tokens], device)
            emissions = chains.emissions[rows].masked_fill(~permitted, -torch.inf)
            steps = make_steps(lengths[vague], device)
            agreeing = run_chains(emissions, start, chains.moves, chains.group, tags.n_groups, steps)
            of_text = to_device(np.flatnonzero(vague[lengths > 0]), device)
            total.subtract(expectations(agreeing, weight[of_text], self.crf), rows)
            weight = weight.index_fill(0, of_text, 0.0)
        total.subtract_path(chains, start, to_device(gold_tags, device), weight)
        d_transitions = torch.zeros_like(features.transitions)
        if self.crf:
            d_start = total.tags[chains.steps.first].sum(0, keepdim=True)
            allowed = to_device(self._allowed(tags), device)
            d_transitions += torch.cat([d_start, total.moves]).flatten()[allowed]
        return float(total.log_sum), TagFeatures(total.tags.to(features.emissions.dtype), d_transitions)

    @torch.no_grad()
    def candidates(
        self,
        features: TagFeatures,
        lengths: NDArray[np.int64],
        lowest: NDArray[np.floating],
        labels: Sequence[str],
    ) -> list[Candidates]:
        tags = make_tag_groups(self.groups, labels)
        chains, _ = self._chains(features, lengths, tags)
        return find_tagged_spans(chains, tags, lengths, lowest)

    def _allowed(self, tags: TagGroups) -> NDArray[np.int64]:
        """The starts and moves that have a score (int64 [transitions]), counted row by row in [1 + tags, tags]."""
        starts, moves = (tags.starts, tags.moves) if self.crf else (np.ones_like(tags.starts), tags.same_group)
        return np.flatnonzero(np.vstack([starts, moves]))

    def _chains(self, features: TagFeatures, lengths: NDArray[np.int64], tags: TagGroups) -> tuple[Chains, Tensor]:
        """The chains, and the scores of starts (float64 [tags])."""
        emissions = features.emissions.double()
        group, allowed = (to_device(a, emissions.device) for a in (tags.group_of_tag, self._allowed(tags)))
        scores = emissions.new_full(((1 + tags.n_tags) * tags.n_tags,), -torch.inf)
        scores[allowed] = features.transitions.double() if self.crf else 0.0
        start, moves = scores.view(-1, tags.n_tags).split([1, tags.n_tags])
        steps = make_steps(lengths, emissions.device)
        return run_chains(emissions, start[0], moves, group, tags.n_groups, steps), start[0]


@dataclass
class Expectations:
    """Sums over texts, each with its weight.

    log_sum (float64): of the log of the sum over sequences.
    tags (float64 [tokens, tags]), moves (float64 [tags, tags]): how often each is expected.
    """

    log_sum: Tensor
    tags: Tensor
    moves: Tensor

    def subtract(self, other: "Expectations", rows: Tensor) -> None:
        """Take away those of some of the texts (rows: int64 [tokens of these texts])."""
        self.log_sum = self.log_sum - other.log_sum
        self.tags[rows] -= other.tags
        self.moves -= other.moves

    def subtract_path(self, chains: Chains, start: Tensor, path: Tensor, weight: Tensor) -> None:
        """Take away those of one sequence of each text and group.

        start (float64 [tags]): the scores of starts.
        path (int64 [tokens, groups]): its tags.
        weight (float64 [texts with tokens]): of each text.
        """
        steps = chains.steps
        of_token = weight[steps.text][:, None]
        seconds = steps.seconds
        moves = (path[seconds - 1], path[seconds])
        score = (chains.emissions.gather(1, path) * of_token).sum() + (start[path[steps.first]] * weight[:, None]).sum()
        self.log_sum = self.log_sum - score - (chains.moves[moves] * of_token[seconds]).sum()
        self.tags.scatter_add_(1, path, -of_token.expand(path.shape))
        self.moves.index_put_(moves, -of_token[seconds].expand(moves[0].shape), accumulate=True)


def expectations(chains: Chains, weight: Tensor, moves: bool) -> Expectations:
    """What is expected over all sequences of texts.

    weight (float64 [texts with tokens]): of each text.
    moves (bool): whether moves are wanted; otherwise they stay 0.
    """
    tags = chains.log_marginals().exp_().mul_(weight[chains.steps.text][:, None])
    of_moves = chains.expected_moves(weight) if moves else torch.zeros_like(chains.moves)
    return Expectations((chains.log_partition.sum(1) * weight).sum(), tags, of_moves)


def find_tagged_spans(
    chains: Chains, tags: TagGroups, lengths: NDArray[np.int64], lowest: NDArray[np.floating]
) -> list[Candidates]:
    """All spans of a batch whose probability is above the lowest of their label.

    lengths (int64 [texts]): tokens of each text.
    lowest (float [labels]): logits of probabilities; a span needs more than this.
    RETURNS (list of Candidates): one for each text. For the bound on their number see `SPANS_PER_START`.
    """
    limits = np.maximum(-np.logaddexp(0.0, -np.asarray(lowest, dtype=np.float64)), LOWEST_LOG_PROBABILITY)
    begin = to_device(tags.begin, chains.forward.device)
    ends = chains.log_going_on()[:, begin + 1]
    # Each float64 [tokens, labels]: log P(B at t), log P(I at t + 1 | B at t), log P(I at t + 1 | I at t).
    going_on = [ends + chains.moves[tag, begin + 1] - chains.backward[:, tag] for tag in (begin, begin + 1)]
    starts, first, others = torch.stack([chains.log_marginals()[:, begin], *going_on]).cpu().numpy()
    start, label = (starts > limits).nonzero()
    chain = starts[start, label]
    end, on = start, first
    found = [(start[:0], end[:0], label[:0], chain[:0])]
    while len(start):
        next_inside = on[end, label]
        score = np.minimum(chain + _log_1_minus_exp(next_inside), 0.0)
        hits = score > limits[label]
        found.append((start[hits], end[hits] + 1, label[hits], score[hits]))
        chain = chain + next_inside
        alive = chain > limits[label]
        start, label, chain = start[alive], label[alive], chain[alive]
        end, on = end[alive] + 1, others
    start, end, label, score = (np.concatenate(column) for column in zip(*found, strict=True))
    best = best_of_each_start(start, score)
    warn_of_dropped(len(start) - len(best), np.asarray(lowest))
    start, end, label, score = (column[best] for column in (start, end, label, score))
    doc = np.repeat(np.arange(len(lengths)), lengths)[start]
    offset = (np.cumsum(lengths) - lengths)[doc]
    spans = Candidates(start - offset, end - offset, label, score - _log_1_minus_exp(score))
    return split_by_text(doc, spans, len(lengths))


def _log_1_minus_exp(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """log(1 - exp(x)), finite for every x; rounding may make a log probability larger than 0."""
    return np.log(-np.expm1(np.minimum(x, -np.finfo(np.float64).tiny)))
