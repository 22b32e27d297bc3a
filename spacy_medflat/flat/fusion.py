"""Fusing four distances into one relative position vector R_ij (FLAT, section 3.2).

A fusion is a function of (length of the query, length of the key, head_i - head_j), because hh + tt = ht + th. It is
computed once for every such triple that a batch can hold, on a grid, and never for pairs. The first linear map of a
fusion acts on a concatenation of four position vectors, which is a sum of four maps, each of one distance: so it is
applied to tables of distances, and the grid is made of slices of these tables.
"""

from collections.abc import Sequence
from typing import Literal, get_args

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .positions import DISTANCES, PositionTables

Fusion = Literal["ff", "ff_two", "attention", "gate"]
FUSIONS: tuple[str, ...] = get_args(Fusion)


class Grid:
    """Which triples are wanted: one query length, some key lengths, the head distances low … high.

    A tail of a key of n tokens lies n - 1 behind its head, so along this grid every one of the four distances is a
    range of consecutive integers.
    """

    def __init__(self, query_length: int, key_lengths: Sequence[int], low: int, high: int):
        self.query_length, self.key_lengths, self.low, self.high = query_length, list(key_lengths), low, high

    def range(self, name: str) -> tuple[int, int]:
        """The values that a distance takes on the grid."""
        shift = self.query_length - 1 if name[0] == "t" else 0
        back = max(self.key_lengths) - 1 if name[1] == "t" else 0
        return self.low + shift - back, self.high + shift

    def spread(self, table: Tensor, name: str) -> Tensor:
        """Lay a table over `range(name)` out on the grid.

        table (float [values, n])
        RETURNS (float [key lengths, head distances, n]), broadcastable in the first dimension
        """
        if name[1] == "h":
            return table[None]
        size, longest = self.high - self.low + 1, max(self.key_lengths)
        return torch.stack([table[longest - n : longest - n + size] for n in self.key_lengths])


class _Split(nn.Module):
    """A linear map of concatenated position vectors, applied to each distance on its own."""

    def __init__(self, names: Sequence[str], size: int, n_out: int):
        super().__init__()
        self.names = tuple(names)
        self.linear = nn.Linear(len(self.names) * size, n_out)

    def forward(self, tables: PositionTables, grid: Grid) -> Tensor:
        """RETURNS (float [key lengths, head distances, n_out])"""
        weights = dict(zip(self.names, self.linear.weight.chunk(len(self.names), dim=1), strict=True))
        total = self.linear.bias[None, None]
        # What depends on the head of the key alone, and what on its tail alone, is added up before it is spread.
        for end in "ht":
            names = [name for name in self.names if name[1] == end]
            if len(names) == 2 and grid.query_length == 1 and tables.same_for_all:
                part = F.linear(tables(names[0], *grid.range(names[0])), weights[names[0]] + weights[names[1]])
            else:
                part = torch.stack([F.linear(tables(n, *grid.range(n)), weights[n]) for n in names]).sum(dim=0)
            total = total + grid.spread(part, names[0])
        return total


class FeedForwardFusion(nn.Module):
    """R_ij = ReLU(W [P_hh; P_ht; P_th; P_tt] + b), or the same of P_hh and P_tt alone."""

    def __init__(self, size: int, width: int, names: Sequence[str] = DISTANCES):
        super().__init__()
        self.split = _Split(names, size, width)

    def forward(self, tables: PositionTables, grid: Grid) -> Tensor:
        """RETURNS (float [key lengths, head distances, width])"""
        return F.relu(self.split(tables, grid), inplace=True)


class _WeightedFusion(nn.Module):
    """R_ij = Σ_k a_k (W P_k + b), where the weights a of the four distances sum to 1."""

    def __init__(self, size: int, width: int, hidden: int, n_weights: int):
        super().__init__()
        self.value = nn.Linear(size, width)
        self.hidden = _Split(DISTANCES, size, hidden)
        self.score = nn.Linear(hidden, 4 * n_weights)

    def forward(self, tables: PositionTables, grid: Grid) -> Tensor:
        """RETURNS (float [key lengths, head distances, width])"""
        hidden = F.relu(self.hidden(tables, grid))
        weights = self.score(hidden).unflatten(-1, (4, -1)).softmax(dim=-2)
        values = [grid.spread(self.value(tables(name, *grid.range(name))), name) for name in DISTANCES]
        return sum(weights[..., k, :] * value for k, value in enumerate(values))


class AttentionFusion(_WeightedFusion):
    """One weight for each distance, from two layers over all four: a = softmax(W2 ReLU(W1 [P_hh; …; P_tt]))."""

    def __init__(self, size: int, width: int):
        super().__init__(size, width, hidden=4 * size, n_weights=1)


class GateFusion(_WeightedFusion):
    """A weight for each distance and each value of the vector, from two layers over all four."""

    def __init__(self, size: int, width: int):
        super().__init__(size, width, hidden=2 * size, n_weights=width)


def distances_of(fusion: Fusion) -> tuple[str, ...]:
    """The distances that a fusion looks at."""
    return ("hh", "tt") if fusion == "ff_two" else DISTANCES


def make_fusion(fusion: Fusion, size: int, width: int) -> nn.Module:
    """Make a fusion by name.

    size (int): size of a position vector. width (int): size of R_ij.
    """
    if fusion == "attention":
        return AttentionFusion(size, width)
    if fusion == "gate":
        return GateFusion(size, width)
    return FeedForwardFusion(size, width, distances_of(fusion))
