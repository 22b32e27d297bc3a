"""Wordpieces of several texts, laid out in windows for the encoder."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..windows import Windows, greedy_batches, split_windows
from .pieces import PieceMap


@dataclass(frozen=True)
class PieceBatch:
    """The windows of a batch of texts, each with its [CLS] and [SEP].

    windows: the windows of each text.
    ids (list of int64 [n_i]): wordpiece ids of each window, special pieces included.
    pad_id (int): the piece that fills short windows up.
    """

    windows: list[Windows]
    ids: list[NDArray[np.int64]]
    pad_id: int

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def lengths(self) -> NDArray[np.int64]:
        """Pieces of each window, special pieces included (int64 [windows])."""
        return np.array([len(ids) for ids in self.ids], dtype=np.int64)

    @property
    def longest(self) -> int:
        """Pieces of the longest window."""
        return max((len(ids) for ids in self.ids), default=0)

    @property
    def n_tokens(self) -> int:
        """Tokens of all texts."""
        return sum(int(w.ends[-1]) for w in self.windows if len(w.ends))

    def padded(self, width: int) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Ids (int64) and attention mask (float32, 1 for a piece), both [windows, width]."""
        ids = np.full((len(self.ids), width), self.pad_id, dtype=np.int64)
        mask = np.zeros((len(self.ids), width), dtype=np.float32)
        for i, row in enumerate(self.ids):
            ids[i, : len(row)] = row
            mask[i, : len(row)] = 1.0
        return ids, mask

    def rows(self, width: int) -> NDArray[np.int32]:
        """Where each token's vector lies in the encoder's output, flattened to [windows * width, hidden].

        RETURNS (int32 [tokens])
        """
        rows: list[NDArray[np.int64]] = []
        first = 0
        for w in self.windows:
            if not len(w.starts):
                continue
            tokens = np.arange(w.ends[-1])
            owner = np.searchsorted(w.owner_starts, tokens, side="right") - 1
            rows.append((first + owner) * width + 1 + tokens - w.starts[owner])
            first += len(w.starts)
        return np.concatenate(rows).astype("i") if rows else np.zeros(0, dtype="i")

    def parts(self, max_items: int) -> Iterator[tuple[NDArray[np.int64], "PieceBatch"]]:
        """Split into parts of at most `max_items` padded pieces (one window at least), windows of one length together.

        YIELDS (int64 [k], PieceBatch): the windows' indices in this batch, and a batch of just these.
        """
        order = np.argsort(self.lengths, kind="stable").tolist()
        for rows in greedy_batches(order, lambda _, i: len(self.ids[i]), lambda n, longest: n * longest <= max_items):
            yield np.array(rows), PieceBatch([], [self.ids[i] for i in rows], self.pad_id)


def batch_pieces(doc_ids: list[NDArray[np.int64]], window: int, overlap: int, pieces: PieceMap) -> PieceBatch:
    """Cut texts into windows.

    doc_ids (list of int64 [n]): wordpiece ids of each text, no special pieces.
    window, overlap (int): see `split_windows`.
    """
    cls_id, sep_id = np.array([pieces.cls_id]), np.array([pieces.sep_id])
    windows, ids = [], []
    for piece_ids in doc_ids:
        cut = split_windows(len(piece_ids), window, overlap)
        windows.append(cut)
        for start, end in zip(cut.starts.tolist(), cut.ends.tolist(), strict=True):
            ids.append(np.concatenate([cls_id, piece_ids[start:end], sep_id]))
    return PieceBatch(windows, ids, pieces.pad_id)
