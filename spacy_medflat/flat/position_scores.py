"""Scores of relative position, (q_i + v) · G[length_j, head_j - i], of a block of queries, and their gradients.

G has a row for each key length and head distance, so all pairs of one kind share a row: rows (float [heads, lengths,
distances, d]), whose middle distance is 0. The queries of a block (float [heads, windows * queries, d]) are the
characters `first`, `first + 1`, … of each window, `size` of them. Scores are float [heads, windows * queries, keys].
"""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

import torch
from torch import Tensor

from .sampled import sampled_scores, weighted_queries, weighted_rows

# Devices on which products with few of many rows are sampled, by measurement on a CPU; no GPU was tried.
SAMPLED_ON = frozenset({"cpu"})


class PositionScores(Protocol):
    """Scores of the queries of a block with some keys."""

    def scores(self, query: Tensor, rows: Tensor) -> Tensor:
        """(q + v) · G."""

    def gradient(self, d_scores: Tensor, query: Tensor, rows: Tensor, d_rows: Tensor) -> Tensor:
        """The gradient of the queries; that of the rows is added to `d_rows`."""


class CharScores(NamedTuple):
    """All characters of a window, in order, as keys.

    Together they need nearly all rows of their length. So the queries are multiplied with all, which is one dense
    product, and each query's row of it is shifted to where its keys begin, which is a view.
    """

    first: int
    size: int
    reach: int

    def scores(self, query: Tensor, rows: Tensor) -> Tensor:
        dense = torch.matmul(query, self._near(rows).transpose(1, 2))
        return self._shifted(dense).flatten(1, 2)

    def gradient(self, d_scores: Tensor, query: Tensor, rows: Tensor, d_rows: Tensor) -> Tensor:
        near = self._near(rows)
        d_dense = d_scores.new_zeros((*d_scores.shape[:2], near.shape[1]))
        self._shifted(d_dense).copy_(d_scores.unflatten(1, (-1, self.size)))
        self._near(d_rows).add_(torch.matmul(d_dense.transpose(1, 2), query))
        return torch.matmul(d_dense, near)

    def _near(self, rows: Tensor) -> Tensor:
        """The rows of characters, at the distances that occur: a view, [heads, distances, d]."""
        return near_rows(rows[:, :1], self.first, self.size, self.reach).squeeze(1)

    def _shifted(self, dense: Tensor) -> Tensor:
        """[heads, windows * queries, distances] to [heads, windows, queries, keys], a view."""
        n_heads, n_queries, n_distances = dense.shape
        return dense.as_strided(
            (n_heads, n_queries // self.size, self.size, self.reach),
            (n_queries * n_distances, self.size * n_distances, n_distances - 1, 1),
            self.size - 1,
        )


class SampledScores(NamedTuple):
    """Words as keys, which need few of the rows of their lengths: products with these alone.

    row (int64 [windows * queries, keys]): which of all lengths and distances each pair has.
    """

    row: Tensor

    def scores(self, query: Tensor, rows: Tensor) -> Tensor:
        return sampled_scores(query, rows.flatten(1, 2), self.row).to(query.dtype)

    def gradient(self, d_scores: Tensor, query: Tensor, rows: Tensor, d_rows: Tensor) -> Tensor:
        flat = rows.flatten(1, 2)
        d_rows.add_(weighted_queries(d_scores, query, self.row, flat.shape[1]).view_as(d_rows))
        return weighted_rows(d_scores, flat, self.row).to(query.dtype)


class PickedScores(NamedTuple):
    """Words as keys: products with all rows that the queries could need, of which each pair picks its own.

    row (int64 [windows * queries, keys]): which of the near rows each pair has.
    n_lengths (int): how many key lengths, from the shortest on, occur.
    """

    row: Tensor
    n_lengths: int
    first: int
    size: int
    reach: int

    def scores(self, query: Tensor, rows: Tensor) -> Tensor:
        dense = torch.matmul(query, self._near(rows).flatten(1, 2).transpose(1, 2))
        return dense.gather(2, self.row.expand(len(query), -1, -1))

    def gradient(self, d_scores: Tensor, query: Tensor, rows: Tensor, d_rows: Tensor) -> Tensor:
        near, d_near = self._near(rows), self._near(d_rows)
        d_dense = d_scores.new_zeros((*d_scores.shape[:2], near.shape[1] * near.shape[2]))
        d_dense.scatter_add_(2, self.row.expand(len(query), -1, -1), d_scores)
        d_near.add_(torch.matmul(d_dense.transpose(1, 2), query).view_as(d_near))
        return torch.matmul(d_dense, near.flatten(1, 2))

    def _near(self, rows: Tensor) -> Tensor:
        return near_rows(rows[:, : self.n_lengths], self.first, self.size, self.reach)


def near_rows(rows: Tensor, first: int, size: int, reach: int) -> Tensor:
    """The rows of the head distances that occur: a view, [heads, lengths, distances, d]."""
    start = rows.shape[2] // 2 - (first + size - 1)
    return rows[:, :, start : start + size + reach - 1]


def word_scores(
    lengths: Tensor, heads: Tensor, n_lengths: Sequence[int], first: int, size: int, reach: int, n_distances: int
) -> PositionScores:
    """The scores of words, in the way that suits their device.

    lengths (int64 [windows, words]): which of the key lengths each word has.
    heads (int64 [windows, words]): its first character.
    n_lengths (sequence of int): for each window, its largest value in `lengths` plus 1.
    first, size (int): the queries, see above.
    reach (int): characters of the longest window.
    n_distances (int): how many distances all rows have.
    """
    steps = torch.arange(size, device=heads.device)
    if samples(heads.device):
        place = lengths * n_distances + n_distances // 2 + heads - first
        return SampledScores((place[:, None] - steps[:, None]).flatten(0, 1))
    place = lengths * (size + reach - 1) + size - 1 + heads
    return PickedScores((place[:, None] - steps[:, None]).flatten(0, 1), max(n_lengths), first, size, reach)


def samples(device: torch.device) -> bool:
    """Whether products with few of many rows are sampled on a device."""
    return device.type in SAMPLED_ON
