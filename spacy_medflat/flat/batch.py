"""A batch of texts and their words as tensors: cut into windows, and packed into parts of like size."""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..runtime import to_device
from ..windows import batch_overhead, cheapest_batches, split_windows

Ints = NDArray[np.int64]


class DocWords(NamedTuple):
    """The words of one text, ordered by place, each place once.

    heads, tails (int64 [words]): first and last token.
    features (int64 [words]): rows of the batch's features.
    """

    heads: Ints
    tails: Ints
    features: Ints

    @classmethod
    def none(cls) -> "DocWords":
        """The words of a text without words."""
        return cls(*np.zeros((3, 0), dtype=np.int64))


@dataclass(frozen=True)
class Layout:
    """A batch of windows, padded to the longest.

    char_mask (bool [batch, chars]): False beyond the end of a window.
    word_heads (int64 [batch, words]): the first character of each word, counted in its window; 0 where there is none.
    word_lengths (int64 [batch, words]): characters of each word; 1 where there is none.
    word_mask (bool [batch, words]): False where there is no word.
    lengths (sequence of collections of int): the word lengths that occur in each window. Known on the CPU, so that
        characters as queries never wait for a GPU.
    """

    char_mask: Tensor
    word_heads: Tensor
    word_lengths: Tensor
    word_mask: Tensor
    lengths: Sequence[Collection[int]]

    @property
    def reach(self) -> int:
        """Characters of the longest window."""
        return self.char_mask.shape[1]

    @property
    def key_lengths(self) -> tuple[int, ...]:
        """The lengths of characters and words, in order."""
        return tuple(sorted({1}.union(*self.lengths)))

    def n_key_lengths(self, key_lengths: Sequence[int]) -> list[int]:
        """How many of `key_lengths`, from the shortest on, hold all characters and words of each window."""
        place = {length: i + 1 for i, length in enumerate(key_lengths)}
        return [place[max(lengths, default=1)] for lengths in self.lengths]

    def word_length_index(self, key_lengths: Sequence[int]) -> Tensor:
        """Which of `key_lengths` each word has (int64 [batch, words])."""
        lengths = to_device(torch.tensor(key_lengths), self.word_lengths.device)
        return torch.searchsorted(lengths, self.word_lengths)


@dataclass(frozen=True)
class Window:
    """Some characters of one text, with the words that lie wholly inside.

    first (int): row of the first character among the characters of the batch.
    n_chars (int): characters of the window.
    own_start, own_end (int): the characters, counted in the window, that take their vector from it.
    heads, lengths (int64 [words]): first character of each word, counted in the window, and its characters.
    features (int64 [words]): rows of the batch's features.
    """

    first: int
    n_chars: int
    own_start: int
    own_end: int
    heads: Ints
    lengths: Ints
    features: Ints


@dataclass(frozen=True)
class Part:
    """Windows that run together.

    layout (Layout): the windows.
    char_rows (int64 [batch, chars]): rows of characters; where there is none, any row that exists.
    word_rows (int64 [batch, words]): rows of word features; where there is none, any row that exists.
    owned (int64 [n]): which characters of the flattened result are kept.
    targets (int64 [n]): their rows in the batch.
    """

    layout: Layout
    char_rows: torch.Tensor
    word_rows: torch.Tensor
    owned: torch.Tensor
    targets: torch.Tensor


def cut_windows(
    lengths: Sequence[int], words: Sequence[DocWords], window: int, overlap: int, max_words: int
) -> tuple[list[Window], Counter[str]]:
    """Cut texts into windows.

    A word of at most overlap // 2 + 1 characters is in the windows that own its characters, unless it is crowded out.

    lengths (sequence of int): tokens of each text.
    words (sequence of DocWords): words of each text.
    window, overlap (int): see `split_windows`.
    max_words (int): the most words of a window; the longest stay, of equally long ones the first.
    RETURNS (list of Window, Counter): the windows in order; counts of words that no window has, because none is wide
        enough where they stand, `across windows`, or because longer words took their places, `crowded out`.
    """
    windows: list[Window] = []
    counts: Counter[str] = Counter()
    first = 0
    for length, found in zip(lengths, words, strict=True):
        cut = split_windows(length, window, overlap)
        inside_any, kept_any = (np.zeros(len(found.heads), dtype=bool) for _ in range(2))
        owner_ends = [*cut.owner_starts[1:].tolist(), length]
        for i, (start, end) in enumerate(zip(cut.starts.tolist(), cut.ends.tolist(), strict=True)):
            near = np.arange(*np.searchsorted(found.heads, (start, end)))
            inside = near[found.tails[near] < end]
            inside_any[inside] = True
            if len(inside) > max_words:
                size = found.tails[inside] - found.heads[inside]
                inside = np.sort(inside[np.argsort(-size, kind="stable")[:max_words]])
            kept_any[inside] = True
            heads, tails = found.heads[inside], found.tails[inside]
            own = (int(cut.owner_starts[i]) - start, owner_ends[i] - start)
            windows.append(
                Window(first + start, end - start, *own, heads - start, tails - heads + 1, found.features[inside])
            )
        counts["across windows"] += int((~inside_any).sum())
        counts["crowded out"] += int((inside_any & ~kept_any).sum())
        first += length
    return windows, counts


def pack_parts(windows: Sequence[Window], max_items: int | None, device: torch.device) -> list[Part]:
    """Put windows of similar size together.

    max_items (int or None): the most characters and words, padding included, in a part; a larger window is a part of
        its own. None puts all windows into one part.
    """
    ordered = sorted(windows, key=lambda w: (w.n_chars, len(w.heads)))
    if max_items is None:
        return [_pack(ordered, device)]
    sizes = np.array([(w.n_chars, len(w.heads)) for w in ordered], dtype=np.int64).reshape(-1, 2)
    batches = cheapest_batches(sizes, max_items, batch_overhead(device.type, max_items))
    return [_pack(ordered[batch], device) for batch in batches]


def _pack(windows: Sequence[Window], device: torch.device) -> Part:
    n_chars, n_words = max(w.n_chars for w in windows), max(len(w.heads) for w in windows)
    steps = np.arange(n_chars)
    first, length, own_start, own_end = (
        np.array([getattr(w, name) for w in windows], dtype=np.int64)[:, None]
        for name in ("first", "n_chars", "own_start", "own_end")
    )
    char_mask = steps < length
    owned = (steps >= own_start) & (steps < own_end)
    char_rows = np.where(char_mask, first + steps, first)
    heads, lengths, features = (np.zeros((len(windows), n_words), dtype=np.int64) for _ in range(3))
    lengths += 1
    word_mask = np.zeros((len(windows), n_words), dtype=bool)
    for i, w in enumerate(windows):
        m = len(w.heads)
        heads[i, :m], lengths[i, :m], features[i, :m], word_mask[i, :m] = w.heads, w.lengths, w.features, True

    def tensor(array: NDArray) -> torch.Tensor:
        return to_device(array, device)

    occurring = [set(w.lengths.tolist()) for w in windows]
    layout = Layout(tensor(char_mask), tensor(heads), tensor(lengths), tensor(word_mask), occurring)
    return Part(
        layout,
        tensor(char_rows),
        tensor(features),
        tensor(np.flatnonzero(owned.ravel())),
        tensor((first + steps)[owned]),
    )
