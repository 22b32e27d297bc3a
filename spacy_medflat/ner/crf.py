"""Linear-chain conditional random fields over a batch of texts, in log space (Lafferty et al., 2001).

p(y | x) ∝ exp(start[y_1] + Σ_t moves[y_{t-1}, y_t] + Σ_t emissions[t, y_t]). A tag set may fall into groups that no
move joins: each group is then a chain of its own, and all of them are computed together.

The texts are never padded. Their tokens are visited by position, and a text takes part as long as it has tokens.
All scores are float64: on a text of 10⁵ tokens sums in float32 would be off by more than what they tell apart.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..runtime import to_device

# Rows of [tags, tags] that are held at a time.
CHUNK_ROWS = 4096


@dataclass(frozen=True)
class Steps:
    """The tokens of a batch by their position in their text.

    order (int64 [tokens]): tokens at position 0, longest text first, then those at position 1, ….
    sizes (list of int): how many tokens there are at each position.
    first, last (int64 [texts with tokens]): the first and last token of each text that has any.
    text (int64 [tokens]): counted among the texts that have tokens.
    seconds (int64 [n]): the tokens that are not the first of their text.
    """

    order: Tensor
    sizes: list[int]
    first: Tensor
    last: Tensor
    text: Tensor
    seconds: Tensor


def make_steps(lengths: NDArray[np.int64], device: torch.device | str = "cpu") -> Steps:
    """Order the tokens of concatenated texts.

    lengths (int64 [texts]): tokens of each text, 0 allowed.
    device (torch.device): of the tensors.
    """
    lengths = lengths[lengths > 0]
    first = np.cumsum(lengths) - lengths
    text = np.repeat(np.arange(len(lengths)), lengths)
    position = np.arange(len(text)) - first[text]
    order = np.lexsort((text, -lengths[text], position))
    sizes = np.bincount(position).tolist()
    columns = (order, first, first + lengths - 1, text, np.flatnonzero(position))
    on_device = [to_device(column, torch.device(device)) for column in columns]
    return Steps(on_device[0], sizes, *on_device[1:])


@dataclass(frozen=True)
class Chains:
    """What the forward and backward passes give, for each token and tag.

    emissions (float64 [tokens, tags]): the scores of tags that they were computed from.
    moves (float64 [tags, tags]): likewise, the scores of one tag after another.
    forward (float64 [tokens, tags]): log of the sum over all beginnings that end in this tag, its emission included.
    backward (float64 [tokens, tags]): log of the sum over all endings after this tag, its emission not included.
    log_partition (float64 [texts with tokens, groups]): log of the sum over all sequences of a group's tags.
    group (int64 [tags]): the group of each tag.
    steps (Steps): the order in which tokens are visited.
    """

    emissions: Tensor
    moves: Tensor
    forward: Tensor
    backward: Tensor
    log_partition: Tensor
    group: Tensor
    steps: Steps

    def log_marginals(self) -> Tensor:
        """log P(y_t = tag) (float64 [tokens, tags])."""
        return self.forward + self.backward - self.log_partition[:, self.group][self.steps.text]

    def log_going_on(self) -> Tensor:
        """The part of log P(y_{t+1} = j | y_t = i) that depends on j.

        RETURNS (float64 [tokens, tags]): -inf at the last token of a text. The whole is
            `log_going_on[t, j] + moves[i, j] - backward[t, i]`.
        """
        after = self.emissions + self.backward
        shifted = torch.full_like(after, -torch.inf)
        rows = self.steps.seconds
        shifted[rows - 1] = after[rows]
        return shifted

    def expected_moves(self, weight: Tensor) -> Tensor:
        """How often each move is expected.

        weight (float64 [texts with tokens]): how much each text counts, at least 0.
        RETURNS (float64 [tags, tags]): from row to column, summed over the texts.
        """
        total = torch.zeros_like(self.moves)
        # The weight becomes a factor of what is summed.
        partition = self.log_partition[:, self.group] - weight.log()[:, None]
        for chunk in self.steps.seconds.split(CHUNK_ROWS):
            after = self.emissions[chunk] + self.backward[chunk] - partition[self.steps.text[chunk]]
            total += (self.forward[chunk - 1][:, :, None] + self.moves + after[:, None, :]).exp().sum(0)
        return total


@torch.no_grad()
def run_chains(emissions: Tensor, start: Tensor, moves: Tensor, group: Tensor, n_groups: int, steps: Steps) -> Chains:
    """Run the forward and the backward pass.

    emissions (float64 [tokens, tags]): of all texts, concatenated; at least one token.
    start (float64 [tags]), moves (float64 [tags, tags]): -inf where a tag or move is not allowed. Some tag must be
        allowed at the start, and after and before every tag some other.
    group (int64 [tags]): moves from one group to another must be -inf.
    n_groups (int): how many groups there are.
    steps (Steps): of the texts.
    RETURNS (Chains): time and memory are linear in the number of tokens.
    """
    packed = emissions[steps.order].split(steps.sizes)
    forward = [start + packed[0]]
    for step in packed[1:]:
        forward.append(torch.logsumexp(forward[-1][: len(step), :, None] + moves, dim=1) + step)
    # A text that has ended is not among the rows of the next step: after its last tag comes nothing, with log 1 = 0.
    backward = [torch.zeros_like(packed[-1])]
    for here, after in zip(packed[-2::-1], packed[:0:-1], strict=True):
        message = torch.zeros_like(here)
        message[: len(after)] = torch.logsumexp(moves + (after + backward[-1])[:, None, :], dim=2)
        backward.append(message)
    forward_rows = _unpacked(forward, steps)
    ends = forward_rows[steps.last]
    elsewhere = group != torch.arange(n_groups, device=group.device)[:, None]
    log_partition = ends[:, None].masked_fill(elsewhere, -torch.inf).logsumexp(2)
    return Chains(emissions, moves, forward_rows, _unpacked(backward[::-1], steps), log_partition, group, steps)


def _unpacked(messages: Sequence[Tensor], steps: Steps) -> Tensor:
    rows = torch.cat(list(messages))
    return torch.empty_like(rows).index_copy_(0, steps.order, rows)
