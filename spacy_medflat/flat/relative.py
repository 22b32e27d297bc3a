"""The rows of relative positions that attention needs, cached where nothing is learnt."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from .fusion import Grid, distances_of, make_fusion
from .positions import PositionTables
from .settings import FlatSettings


class RelativeRows(nn.Module):
    """G = W_R R for every key length and head distance, split into heads; see `FlatSettings`."""

    def __init__(self, settings: FlatSettings):
        super().__init__()
        s = settings
        self.n_heads = s.n_heads
        self.tables = PositionTables(s.width, distances_of(s.fusion), s.reach, s.shared, s.learned)
        self.fuse = make_fusion(s.fusion, s.width, s.width)
        self.project = nn.Linear(s.width, s.width, bias=False)
        self._cache: _Cache | None = None

    def forward(self, query_length: int, key_lengths: Sequence[int], reach: int) -> Tensor:
        """Rows for queries of one length.

        key_lengths: in order. reach (int): head distances run from -(reach - 1) to reach - 1.
        RETURNS (float [heads, key lengths, 2 * reach - 1, width / heads])
        """
        if torch.is_grad_enabled():
            self._cache = None
        # Rows for words as queries are as many as the square of the word lengths: too many to keep.
        if torch.is_grad_enabled() or query_length != 1:
            return self._rows(query_length, key_lengths, reach)
        # thinc's optimizers change a parameter's memory without torch's knowledge: its version says nothing.
        sums = torch.stack([p.sum(dtype=torch.float32) for p in self.parameters()]).tolist()
        state = (sums, self._autocast_dtype())
        if self._cache is None or self._cache.state != state:
            self._cache = _Cache(state, {})
        return self._cache.get(self, key_lengths, reach)

    def _autocast_dtype(self) -> torch.dtype | None:
        device = self.project.weight.device.type
        return torch.get_autocast_dtype(device) if torch.is_autocast_enabled(device) else None

    def _rows(self, query_length: int, key_lengths: Sequence[int], reach: int) -> Tensor:
        grid = Grid(query_length, key_lengths, 1 - reach, reach - 1)
        rows = self.project(self.fuse(self.tables, grid))
        return rows.unflatten(-1, (self.n_heads, -1)).permute(2, 0, 1, 3).contiguous()


@dataclass
class _Cache:
    """Rows for characters as queries by key length, each for the longest reach that was asked for.

    state: the sum of every parameter, and the type that autocast gave the rows, when they were computed.
    """

    state: tuple[list[float], torch.dtype | None]
    rows: dict[int, Tensor]

    def get(self, make: RelativeRows, key_lengths: Sequence[int], reach: int) -> Tensor:
        picked = []
        for length in key_lengths:
            rows = self.rows.get(length)
            if rows is None or rows.shape[2] < 2 * reach - 1:
                # Enough for most windows at once, so that a stream of longer and longer texts does not start anew.
                rows = self.rows[length] = make._rows(1, [length], max(reach, 64))
            center = rows.shape[2] // 2
            picked.append(rows[:, :, center - reach + 1 : center + reach])
        return torch.cat(picked, dim=1)
