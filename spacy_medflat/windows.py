"""Cutting: overlapping windows over a long text, and batches of what is small, as large or as cheap as can be."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

Ints1d = NDArray[np.int64]
# In characters; from 24 to 64 are as good, with float32, bfloat16 and 8 bits (`bench.batches`).
CPU_OVERHEAD = 48
Item = TypeVar("Item")
Size = TypeVar("Size")


@dataclass(frozen=True)
class Windows:
    """Windows over one text of `length` tokens.

    starts, ends (int64 [n]): the tokens that window i reads, `starts[i]:ends[i]`.
    owner_starts (int64 [n]): window i owns the tokens `owner_starts[i]:owner_starts[i + 1]`; the last window owns the
        rest. Every token has exactly one owner, the window that gives it the most context.
    """

    starts: Ints1d
    ends: Ints1d
    owner_starts: Ints1d


def split_windows(length: int, window: int, overlap: int) -> Windows:
    """Cover `length` tokens with as few windows as the sizes allow, all as long as each other (give or take one).

    length (int): number of tokens; 0 gives no window.
    window (int): the most tokens in a window.
    overlap (int): the fewest tokens that neighbours share; a token keeps at least overlap // 2 neighbours on each
        side in the window that owns it.
    RAISES (ValueError): unless 0 <= overlap < window.
    """
    check_window(window, overlap)
    if length <= 0:
        return Windows(*(np.zeros(0, dtype=np.int64) for _ in range(3)))
    n = 1 if length <= window else -(-(length - overlap) // (window - overlap))
    # Edges of n equal shares of the text, each then widened by the overlap: even windows pad less than full ones
    # with a short rest, and no token sits at the edge of a nearly empty window.
    edges = (np.arange(n + 1, dtype=np.int64) * (length - overlap)) // n
    starts, ends = edges[:-1], edges[1:] + overlap
    if n == 1:
        starts, ends = np.zeros(1, dtype=np.int64), np.full(1, length, dtype=np.int64)
    owner_starts = np.concatenate([[0], (starts[1:] + ends[:-1]) // 2]).astype(np.int64)
    return Windows(starts, ends, owner_starts)


def check_window(window: int, overlap: int) -> None:
    """RAISES (ValueError): unless 0 <= overlap < window."""
    if not 0 <= overlap < window:
        raise ValueError(f"overlap must be at least 0 and less than window={window}, but it is {overlap}")


def greedy_batches(
    items: Iterable[Item], grow: Callable[[Size | None, Item], Size], fits: Callable[[int, Size], bool]
) -> Iterator[list[Item]]:
    """The items in their order, each batch as large as fits, at least one item.

    grow (callable): the size of a batch with one more item; None is the size of an empty one. A sum for what is laid
        end to end, a maximum for what is padded.
    fits (callable): whether so many items, of this size together, may be one batch.
    """
    batch: list[Item] = []
    size: Size | None = None
    for item in items:
        grown = grow(size, item)
        if batch and not fits(len(batch) + 1, grown):
            yield batch
            batch, grown = [], grow(None, item)
        batch.append(item)
        size = grown
    if batch:
        yield batch


def cheapest_batches(sizes: NDArray[np.int64], max_items: int, overhead: int) -> list[slice]:
    """Cut items, in their order, into padded batches that cost least together.

    A batch has a width, the sum of the largest sizes of its items, and costs overhead + items * width. Few large
    batches have more padding, many small ones more overhead.

    sizes (int64 [items, n]): of each item, their sum at least 1; items of like sizes should stand together.
    max_items (int): the most that items * width may be, unless the batch is a single item.
    overhead (int): what a batch costs beside its items, in the same unit.
    RETURNS (list of slice): the batches.
    """
    n_items = len(sizes)
    cost, starts = np.zeros(n_items + 1, dtype=np.int64), np.zeros(n_items + 1, dtype=np.int64)
    for end in range(1, n_items + 1):
        most = max(1, max_items // int(sizes[end - 1].sum()))
        first = max(0, end - most)
        # Of the batches that end here, from the smallest on.
        width = np.maximum.accumulate(sizes[first:end][::-1]).sum(axis=1)
        items = np.arange(1, end - first + 1) * width
        fits = items <= max_items
        fits[0] = True
        total = np.where(fits, items + cost[first:end][::-1], np.iinfo(np.int64).max - overhead) + overhead
        starts[end] = end - 1 - int(total.argmin())
        cost[end] = total.min()
    batches: list[slice] = []
    end = n_items
    while end:
        batches.append(slice(int(starts[end]), end))
        end = int(starts[end])
    return batches[::-1]


def batch_overhead(device: str, max_items: int) -> int:
    """What a batch costs beside its items, in items, for `cheapest_batches`.

    device (str): `cpu`; on others batches are as few as can be, since they are fast only with much to do at once.
    max_items (int): the most items of a batch.
    """
    return CPU_OVERHEAD if device == "cpu" else max_items
