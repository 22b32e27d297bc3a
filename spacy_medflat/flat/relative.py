"""The rows of relative positions that attention needs, cached where nothing is learnt."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from .fusion import Fusion, Grid, distances_of, make_fusion
from .positions import PositionTables


class RelativeRows(nn.Module):
    """G = W_R R for every key length and head distance, split into heads.

    fusion (str): how four distances become one R (see `fusion`).
    width (int): size of R and of a position vector. n_heads (int): attention heads.
    reach, shared, learned: see `PositionTables`.
    """

    def __init__(self, fusion: Fusion, width: int, n_heads: int, reach: int, shared: bool, learned: bool):
        super().__init__()
        self.n_heads = n_heads
        self.tables = PositionTables(width, distances_of(fusion), reach, shared, learned)
        self.fuse = make_fusion(fusion, width, width)
        self.project = nn.Linear(width, width, bias=False)
        self._cache: _Cache | None = None

    def forward(self, query_length: int, key_lengths: Sequence[int], reach: int) -> Tensor:
        """Rows for queries of one length.

        key_lengths: in order. reach (int): head distances run from -(reach - 1) to reach - 1.
        RETURNS (float [heads, key lengths, 2 * reach - 1, width / heads])
        """
        if torch.is_grad_enabled() or torch.is_autocast_enabled(self.project.weight.device.type):
            self._cache = None
            return self._rows(query_length, key_lengths, reach)
        state = tuple((p.data_ptr(), p._version) for p in self.parameters())
        if self._cache is None or self._cache.state != state:
            self._cache = _Cache(state, {})
        return self._cache.get(self, query_length, key_lengths, reach)

    def _rows(self, query_length: int, key_lengths: Sequence[int], reach: int) -> Tensor:
        grid = Grid(query_length, key_lengths, 1 - reach, reach - 1)
        rows = self.project(self.fuse(self.tables, grid))
        return rows.unflatten(-1, (self.n_heads, -1)).permute(2, 0, 1, 3).contiguous()


@dataclass
class _Cache:
    """Rows by query length and key length, each for the longest reach that was asked for.

    state: identity and version of every parameter when the rows were computed; an update in place raises the version.
    """

    state: tuple[tuple[int, int], ...]
    rows: dict[tuple[int, int], Tensor]

    def get(self, make: RelativeRows, query_length: int, key_lengths: Sequence[int], reach: int) -> Tensor:
        picked = []
        for length in key_lengths:
            rows = self.rows.get((query_length, length))
            if rows is None or rows.shape[2] < 2 * reach - 1:
                # Enough for most windows at once, so that a stream of longer and longer texts does not start anew.
                rows = self.rows[query_length, length] = make._rows(query_length, [length], max(reach, 64))
            center = rows.shape[2] // 2
            picked.append(rows[:, :, center - reach + 1 : center + reach])
        return torch.cat(picked, dim=1)
