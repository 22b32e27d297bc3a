"""The band of spans that a pointer head scores, in blocks that bound memory.

A text of n tokens with spans of at most `max_width` tokens has a band of about n * max_width spans along the diagonal
of its n x n score matrix. The band is cut into blocks of consecutive span starts; a block sees the tokens that its
spans can end at. Whatever depends on the distance of two tokens only, such as a rotary score, is the same in every
block, so a long text is scored without a seam and never as a matrix of n x n.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..windows import Ints1d, greedy_batches

BLOCK_STARTS = 64
CHUNK_SCORES = 2**22


@dataclass(frozen=True)
class Band:
    """Blocks of a batch of texts whose tokens are concatenated in one array.

    max_width (int): the most tokens in a span.
    block_starts (int): the most starts in a block.
    doc (int64 [blocks]): the text of each block.
    first (int64 [blocks]): its first start, counted within the text.
    row (int64 [blocks]): the same start, counted over all texts.
    n_starts, n_ends (int64 [blocks]): how many starts it has, and how many tokens its spans can end at.
    first_block (int64 [texts]): the first block of each text.
    """

    max_width: int
    block_starts: int
    doc: Ints1d
    first: Ints1d
    row: Ints1d
    n_starts: Ints1d
    n_ends: Ints1d
    first_block: Ints1d


@dataclass(frozen=True)
class Chunk:
    """Some blocks of a band, padded to a common size.

    blocks (int64 [b]): which blocks of the band.
    start_rows (int64 [b, s]): rows of the token array; padding repeats a valid row.
    end_rows (int64 [b, e]): likewise.
    valid (bool [b, s, e]): whether start i and end j are a span of the text: in order, and not too wide.
    """

    blocks: Ints1d
    start_rows: NDArray[np.int64]
    end_rows: NDArray[np.int64]
    valid: NDArray[np.bool_]


def make_band(lengths: Ints1d, max_width: int, block_starts: int = BLOCK_STARTS) -> Band:
    """Lay the band of a batch out in blocks.

    lengths (int64 [texts]): tokens of each text, 0 allowed.
    max_width (int): the most tokens in a span.
    block_starts (int): the most starts in a block.
    """
    n_blocks = -(-lengths // block_starts)
    first_block = np.cumsum(n_blocks) - n_blocks
    doc = np.repeat(np.arange(len(lengths)), n_blocks)
    first = (np.arange(len(doc)) - first_block[doc]) * block_starts
    offsets = np.cumsum(lengths) - lengths
    left = lengths[doc] - first
    n_starts = np.minimum(left, block_starts)
    n_ends = np.minimum(left, n_starts + max_width - 1)
    return Band(max_width, block_starts, doc, first, offsets[doc] + first, n_starts, n_ends, first_block)


def iter_chunks(band: Band, n_labels: int, max_scores: int = CHUNK_SCORES) -> Iterator[Chunk]:
    """Group the blocks, those of one size together, so that a chunk has at most `max_scores` scores of all labels.

    n_labels (int): scores of a span.
    max_scores (int): the most scores of a chunk, padding included, unless a single block has more.
    YIELDS (Chunk): every block is in one of them.
    """
    order = np.lexsort((band.n_starts, band.n_ends)).tolist()
    starts, ends = band.n_starts.tolist(), band.n_ends.tolist()
    blocks = greedy_batches(
        order,
        lambda size, i: (starts[i], ends[i]) if size is None else (max(size[0], starts[i]), ends[i]),
        lambda count, size: count * size[0] * size[1] * n_labels <= max_scores,
    )
    for chunk in blocks:
        yield _make_chunk(band, np.array(chunk))


def _make_chunk(band: Band, blocks: Ints1d) -> Chunk:
    n_starts, n_ends = band.n_starts[blocks, None], band.n_ends[blocks, None]
    i, j = np.arange(n_starts.max()), np.arange(n_ends.max())
    width = j[None, :] - i[:, None]
    valid = (width >= 0) & (width < band.max_width) & (i < n_starts)[:, :, None] & (j < n_ends)[:, None, :]
    row = band.row[blocks, None]
    return Chunk(blocks, row + np.minimum(i, n_starts - 1), row + np.minimum(j, n_ends - 1), valid)


def locate(band: Band, doc: Ints1d, start: Ints1d, end: Ints1d) -> tuple[Ints1d, Ints1d, Ints1d]:
    """Where spans lie in the band. The spans must be inside their texts and no wider than the band.

    doc, start, end (int64 [spans]): the text of each span and its tokens `start:end` (end exclusive).
    RETURNS (int64 [spans], int64 [spans], int64 [spans]): block; start within the block; last token within the block.
    """
    block = band.first_block[doc] + start // band.block_starts
    return block, start - band.first[block], end - 1 - band.first[block]
