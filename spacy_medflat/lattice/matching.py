"""All words of a lexicon in a batch of texts, by Aho–Corasick."""

from collections.abc import Sequence
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .lexicon import Lexicon
from .rules import LONGEST_ALLOWED, WordRules
from .words import Tag, Words

# No word has a line end in it, so no match reaches over one.
SEPARATOR = "\n"


class Matcher:
    """The words of a lexicon, as they are when it is made.

    lexicon (Lexicon): where words and types come from.
    rules (WordRules): which of its words to find.
    source (str): the name that the words found are marked with.
    nested (bool): find all words, those inside others and those that cross others included. Without it only words
        that do not overlap: from left to right, the longest one at each place.
    """

    def __init__(self, lexicon: Lexicon, rules: WordRules, source: str, nested: bool = True):
        from ahocorasick_rs import AhoCorasick, MatchKind

        # Sorted, because the automaton of a million words is then made in half the time.
        words = sorted(rules.select(lexicon))
        types = [lexicon.types(word) for word in words]
        codes = {kind: code for code, kind in enumerate(dict.fromkeys(types))}
        self.n_words = len(words)
        self._tag = np.array([codes[kind] for kind in types], dtype=np.int64)
        self._tags = tuple(Tag(kind, source) for kind in codes)
        self._nested = nested
        kind = MatchKind.Standard if nested else MatchKind.LeftmostLongest
        self._automaton: Any = AhoCorasick(words, matchkind=kind, store_patterns=False)

    def find(self, texts: Sequence[str]) -> Words:
        """The words of each text."""
        matches = self._automaton.find_matches_as_indexes(SEPARATOR.join(texts), overlapping=self._nested)
        flat = np.fromiter(chain.from_iterable(matches), dtype=np.int64, count=3 * len(matches))
        by_end = flat.reshape(-1, 3)
        # By start, longer first: one key sorts faster than the three columns of `Words.ordered`.
        key = by_end[:, 1] * LONGEST_ALLOWED - (by_end[:, 2] - by_end[:, 1])
        pattern, start, end = by_end[np.argsort(key)].T
        begins = text_begins(texts)
        text = np.searchsorted(begins, start, side="right") - 1
        return Words(text, start - begins[text], end - begins[text], self._tag[pattern], self._tags)


def text_begins(texts: Sequence[str]) -> NDArray[np.int64]:
    """Where each text begins when all are joined with one character between them.

    RETURNS (int64 [texts]): in characters.
    """
    lengths = np.fromiter((len(text) + 1 for text in texts), dtype=np.int64, count=len(texts))
    return np.cumsum(lengths) - lengths
