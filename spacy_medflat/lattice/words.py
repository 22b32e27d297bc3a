"""Where words stand in a batch of texts, as columns."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
# Between the types of a word, in a lexicon as in the label of a span.
TYPE_SEPARATOR = "|"
# Between the sources of a word, in the `id_` of a span.
SOURCE_SEPARATOR = "+"
# The source of a user's own list, whose types count alone, and its type of words that are no entities.
USER_SOURCE = "user"
NO_ENTITY = "none"


class SourceTag(NamedTuple):
    """What is known about a word besides its place.

    types (str): its types, joined by `|`.
    sources (str): the sources that found it, joined by `+`.
    """

    types: str
    sources: str


@dataclass(frozen=True)
class Words:
    """The words of a batch of texts, one row each: ordered by text, start, longer first; no place twice.

    text (int64 [words]): index of the text.
    start, end (int64 [words]): characters (code points) in that text, `end` exclusive.
    tag (int64 [words]): index into `tags`.
    tags (tuple of SourceTag): what is known about the words.
    """

    text: Ints
    start: Ints
    end: Ints
    tag: Ints
    tags: tuple[SourceTag, ...]

    @classmethod
    def of(cls, found: Sequence[Sequence[tuple[int, int, str]]], source: str) -> "Words":
        """Make rows from lists. Of words on one place the first stays.

        found (sequence of sequence of (int, int, str)): for each text start, exclusive end and types, in any order.
        source (str): the name of the source.
        RETURNS (Words): the words in their order.
        """
        rows = [(i, start, end) for i, words in enumerate(found) for start, end, _ in words]
        types = [kind for words in found for _, _, kind in words]
        codes = {kind: code for code, kind in enumerate(dict.fromkeys(types))}
        text, start, end = np.array(rows, dtype=np.int64).reshape(-1, 3).T
        tag = np.array([codes[kind] for kind in types], dtype=np.int64)
        return cls(text, start, end, tag, tuple(SourceTag(kind, source) for kind in codes)).ordered()

    def __len__(self) -> int:
        return len(self.text)

    def take(self, rows: NDArray[np.generic]) -> "Words":
        """Select rows.

        rows (int64 [selected] or bool [words]): their numbers, or a mask.
        RETURNS (Words): the rows.
        """
        return Words(self.text[rows], self.start[rows], self.end[rows], self.tag[rows], self.tags)

    def ordered(self) -> "Words":
        """Sort the rows, and keep the first of each place."""
        words = self.take(np.lexsort((-self.end, self.start, self.text)))
        places = np.stack([words.text, words.start, words.end])
        new = np.asarray(np.diff(places, prepend=-1).any(axis=0))
        return words if new.all() else words.take(new)

    def bounds(self, n_texts: int) -> list[int]:
        """Find the row at which each text begins.

        RETURNS (list of int [texts + 1]): the rows, and the number of rows at the end.
        """
        return np.searchsorted(self.text, np.arange(n_texts + 1)).tolist()


def union(first: Words, second: Words) -> Words:
    """Put the words of two sources together. A word that both have on one place gets the types and sources of both.

    If one of them is a user's own list, its types count alone.
    """
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


def _joined(first: SourceTag, second: SourceTag) -> SourceTag:
    sources = dict.fromkeys([*first.sources.split(SOURCE_SEPARATOR), *second.sources.split(SOURCE_SEPARATOR)])
    own = [tag.types for tag in (first, second) if USER_SOURCE in tag.sources.split(SOURCE_SEPARATOR)]
    return SourceTag(join_types(*(own or [first.types, second.types])), SOURCE_SEPARATOR.join(sources))
