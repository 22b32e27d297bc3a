"""Where words stand in a batch of texts, as columns."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
# Between the types of a word, in a lexicon as in the label of a span.
TYPE_SEPARATOR = "|"


class Tag(NamedTuple):
    """What is known about a word besides its place: its types, joined by `|`, and its sources, joined by `+`."""

    types: str
    sources: str


@dataclass(frozen=True)
class Words:
    """The words of a batch of texts, one row each: ordered by text, start, longer first; no place twice.

    text (int64 [words]): index of the text.
    start, end (int64 [words]): characters (code points) in that text, `end` exclusive.
    tag (int64 [words]): index into `tags`.
    """

    text: Ints
    start: Ints
    end: Ints
    tag: Ints
    tags: tuple[Tag, ...]

    @classmethod
    def of(cls, found: Sequence[Sequence[tuple[int, int, str]]], source: str) -> "Words":
        """From one list for each text of (start, end, types), in any order. Of words on one place the first stays."""
        rows = [(i, start, end) for i, words in enumerate(found) for start, end, _ in words]
        types = [kind for words in found for _, _, kind in words]
        codes = {kind: code for code, kind in enumerate(dict.fromkeys(types))}
        text, start, end = np.array(rows, dtype=np.int64).reshape(-1, 3).T
        tag = np.array([codes[kind] for kind in types], dtype=np.int64)
        return cls(text, start, end, tag, tuple(Tag(kind, source) for kind in codes)).ordered()

    def __len__(self) -> int:
        return len(self.text)

    def take(self, rows: NDArray[np.generic]) -> "Words":
        """Some rows, given by index or by mask."""
        return Words(self.text[rows], self.start[rows], self.end[rows], self.tag[rows], self.tags)

    def ordered(self) -> "Words":
        """The rows in their order, without repeated places."""
        rows = np.lexsort((-self.end, self.start, self.text))
        words = self.take(rows)
        if len(words) < 2:
            return words
        new = np.ones(len(words), dtype=bool)
        new[1:] = (np.diff(words.text) != 0) | (np.diff(words.start) != 0) | (np.diff(words.end) != 0)
        return words if new.all() else words.take(new)

    def bounds(self, n_texts: int) -> list[int]:
        """The row at which each text begins, and the number of rows at the end: `n_texts + 1` numbers."""
        return np.searchsorted(self.text, np.arange(n_texts + 1)).tolist()


def union(first: Words, second: Words) -> Words:
    """The words of both. A word that both have on one place gets the types and the sources of both."""
    if not len(first) or not len(second):
        return first if len(first) else second
    bound = int(max(first.end.max(), second.end.max())) + 1
    one, two = ((words.text * bound + words.start) * bound + words.end for words in (first, second))
    _, in_first, in_second = np.intersect1d(one, two, assume_unique=True, return_indices=True)
    tags = [*first.tags, *second.tags]
    tag = first.tag.copy()
    pairs, pair = np.unique(first.tag[in_first] * len(second.tags) + second.tag[in_second], return_inverse=True)
    tag[in_first] = len(tags) + pair
    for i, j in (divmod(code, len(second.tags)) for code in pairs.tolist()):
        tags.append(_joined(first.tags[i], second.tags[j]))
    rest = np.setdiff1d(np.arange(len(second)), in_second, assume_unique=True)
    return Words(
        np.concatenate([first.text, second.text[rest]]),
        np.concatenate([first.start, second.start[rest]]),
        np.concatenate([first.end, second.end[rest]]),
        np.concatenate([tag, second.tag[rest] + len(first.tags)]),
        tuple(tags),
    ).ordered()


def join_types(*types: str) -> str:
    """Types in one string: each once, sorted, `|` between them."""
    return TYPE_SEPARATOR.join(sorted({part for kind in types for part in kind.split(TYPE_SEPARATOR) if part}))


def _joined(first: Tag, second: Tag) -> Tag:
    sources = dict.fromkeys([*first.sources.split("+"), *second.sources.split("+")])
    return Tag(join_types(first.types, second.types), "+".join(sources))
