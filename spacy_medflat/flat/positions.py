"""Relative positions: sinusoids of signed distances, and their fusion to R_ij (FLAT, section 3.2)."""

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..runtime import to_device, weights_version
from .settings import Fusion, SizedSettings

# Kept rows reach a multiple of so many characters.
REACH_STEP = 64
# The four distances of a query i and a key j: between heads, head and tail, tail and head, tails.
DISTANCES = ("hh", "ht", "th", "tt")


def sinusoids(low: int, high: int, size: int, like: Tensor) -> Tensor:
    """Sinusoids of the signed distances low, low + 1, …, high (Vaswani et al. 2017, section 3.5).

    A row holds sin(d / 10000^(2k / size)) at 2k and the cosine of the same at 2k + 1. It depends on the distance only,
    never on how long a text or a batch is.

    size (int): even.
    like: gives dtype and device.
    RETURNS (float [high - low + 1, size])
    """
    # In float64 whatever the model's type, as bfloat16 cannot count distances beyond 256; and not every device has it.
    distance = torch.arange(low, high + 1, dtype=torch.float64)
    frequency = torch.exp(torch.arange(0, size, 2, dtype=torch.float64) * (-math.log(10000.0) / size))
    angle = distance[:, None] * frequency
    return to_device(torch.stack((angle.sin(), angle.cos()), dim=-1).flatten(1).to(like.dtype), like.device)


class PositionTables(nn.Module):
    """A vector for every signed distance, one table for each of the four distances.

    size (int): size of a vector.
    names: which of the four distances have a table.
    reach (int): the farthest distance that occurs.
    shared (bool): one table serves all four distances.
    learned (bool): tables are parameters that start as sinusoids; distances beyond `reach` take the farthest row.
    """

    def __init__(
        self, size: int, names: Sequence[str] = DISTANCES, reach: int = 255, shared: bool = True, learned: bool = False
    ):
        super().__init__()
        self.size, self.reach, self.shared, self.learned = size, reach, shared, learned
        self.fixed: Tensor
        self.register_buffer("fixed", torch.zeros(0, size), persistent=False)
        if learned:
            start = sinusoids(-reach, reach, size, self.fixed)
            owners = ("all",) if shared else tuple(names)
            self.tables = nn.ParameterDict({name: nn.Parameter(start.clone()) for name in owners})

    @property
    def same_for_all(self) -> bool:
        """Whether the four distances have the same table."""
        return self.shared or not self.learned

    def forward(self, name: str, low: int, high: int) -> Tensor:
        """The vectors of the distances low … high.

        name (str): one of `DISTANCES`.
        RETURNS (float [high - low + 1, size])
        """
        if self.learned:
            table = self.tables["all" if self.shared else name]
            return table[torch.arange(low, high + 1, device=table.device).clamp(-self.reach, self.reach) + self.reach]
        radius = max(-low, high)
        if len(self.fixed) < 2 * radius + 1:
            self.fixed = sinusoids(-radius, radius, self.size, self.fixed)
        center = len(self.fixed) // 2
        return self.fixed[center + low : center + high + 1]


class Grid:
    """Which triples are wanted: one query length, some key lengths, the head distances low … high.

    The tail of a key of n tokens is n - 1 after its head, so along this grid every one of the four distances is a
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

    size (int): size of a position vector.
    width (int): size of R_ij.
    """
    if fusion == "attention":
        return AttentionFusion(size, width)
    if fusion == "gate":
        return GateFusion(size, width)
    return FeedForwardFusion(size, width, distances_of(fusion))


class _Kept(NamedTuple):
    """Rows for characters as queries, for the key lengths and the longest reach that were asked for."""

    state: tuple[Any, ...]
    lengths: tuple[int, ...]
    rows: Tensor


class RelativeRows(nn.Module):
    """G = W_R R for every key length and head(j) - head(i), split into heads; kept while no weight changes.

    settings (SizedSettings): with all sizes known.
    """

    # See `compressible`; and what it makes is kept, so 8 bits would save no time.
    reads_weights = True

    def __init__(self, settings: SizedSettings):
        super().__init__()
        s = settings
        self.n_heads = s.n_heads
        self.tables = PositionTables(
            s.width, distances_of(s.fusion), s.window - 1, shared=s.shared_positions, learned=s.learned_positions
        )
        self.fuse = make_fusion(s.fusion, s.width, s.width)
        self.project = nn.Linear(s.width, s.width, bias=False)
        self._kept = _Kept((), (), torch.zeros(0, 0, 0, 0))

    def forward(self, query_length: int, key_lengths: Sequence[int], reach: int) -> tuple[Tensor, tuple[int, ...]]:
        """Rows for queries of one length.

        key_lengths (sequence of int): in order.
        reach (int): head(j) - head(i) runs from -(reach - 1) to reach - 1, or farther on both sides alike.
        RETURNS (float [heads, key lengths, distances, width / heads], the key lengths): these key lengths, or more.
        """
        # Rows for words as queries are as many as the square of the word lengths: too many to keep.
        if torch.is_grad_enabled() or query_length != 1:
            return self._rows(query_length, key_lengths, reach), tuple(key_lengths)
        state, kept = self._state(), self._kept
        if kept.state != state:
            kept = _Kept(state, (), torch.zeros(0, 0, 0, 0))
        farthest = (kept.rows.shape[2] + 1) // 2
        if reach > farthest or not set(key_lengths) <= set(kept.lengths):
            # In steps, so that a stream of longer and longer texts does not start anew for each.
            farthest = max(farthest, -(-reach // REACH_STEP) * REACH_STEP)
            lengths = tuple(sorted({*kept.lengths, *key_lengths}))
            known = kept.lengths if kept.rows.shape[2] == 2 * farthest - 1 else ()
            each = [
                kept.rows.narrow(1, known.index(n), 1) if n in known else self._rows(1, [n], farthest) for n in lengths
            ]
            kept = self._kept = _Kept(state, lengths, torch.cat(each, dim=1))
        return kept.rows, kept.lengths

    def _state(self) -> tuple[Any, ...]:
        """What the rows depend on, without a look at a value, for which a GPU would have to be waited for.

        A weight changes by an operation that torch counts (`Tensor._version`), by getting other memory, in a step of
        thinc's optimizer, which works on the memory itself but then zeroes the gradient, or with `weights_changed`.
        """
        device = self.project.weight.device.type
        dtype = torch.get_autocast_dtype(device) if torch.is_autocast_enabled(device) else None
        weights = [(p.data_ptr(), p._version, p.grad if p.grad is None else p.grad._version) for p in self.parameters()]
        return weights_version(), dtype, *weights

    def _rows(self, query_length: int, key_lengths: Sequence[int], reach: int) -> Tensor:
        grid = Grid(query_length, key_lengths, 1 - reach, reach - 1)
        # A query's scores with the next characters then stand next to each other.
        rows = self.project(self.fuse(self.tables, grid)).flip(1)
        return rows.unflatten(-1, (self.n_heads, -1)).permute(2, 0, 1, 3).contiguous()
