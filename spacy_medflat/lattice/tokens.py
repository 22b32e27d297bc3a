"""From characters to tokens, for a batch of Docs at once."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from spacy.attrs import LENGTH, ORTH, SPACY
from spacy.tokens import Doc

from .lexicon_words import text_begins
from .words import Words

_ATTRIBUTES = [ORTH, LENGTH, SPACY]


class TokenPlaces:
    """Where the tokens of a batch of Docs begin and end.

    texts (list of str): the texts of the Docs.
    begins (int64 [texts]): where each text begins, see `text_begins`.
    """

    def __init__(self, docs: Sequence[Doc]):
        sizes = np.fromiter(map(len, docs), dtype=np.int64, count=len(docs))
        columns = [doc.to_array(_ATTRIBUTES) for doc in docs if len(doc)]
        table = np.concatenate(columns) if columns else np.zeros((0, 3), dtype=np.uint64)
        self.texts = _texts(docs, table[:, 0].tolist(), np.flatnonzero(table[:, 2]).tolist(), sizes)
        self.begins = text_begins(self.texts)
        length, space = table[:, 1].astype(np.int64), table[:, 2].astype(np.int64)
        steps = length + space
        # One character stands between texts, so each token is shifted by one for every text before its own.
        start = np.cumsum(steps) - steps + np.repeat(np.arange(len(docs)), sizes)
        number = np.arange(len(table)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
        self._first, self._last = (np.full(sum(map(len, self.texts)) + len(docs) + 1, -1) for _ in range(2))
        self._first[start] = number
        self._last[start + length] = number + 1

    def to_tokens(self, words: Words) -> Words:
        """Convert places in characters to places in tokens.

        words (Words): `start` and `end` are characters of the text.
        RETURNS (Words): `start` and `end` are tokens; words that do not begin and end where tokens do are left out.
        RAISES (ValueError): a place that is empty or outside of its text.
        """
        if not len(words):
            return words
        lengths = np.fromiter(map(len, self.texts), dtype=np.int64, count=len(self.texts))
        bad = (words.start < 0) | (words.end > lengths[words.text]) | (words.start >= words.end)
        if bad.any():
            row = int(np.argmax(bad))
            source, text = words.tags[words.tag[row]].sources, words.text[row]
            raise ValueError(
                f"the word source {source!r} gave the place {words.start[row]}–{words.end[row]} in a text of "
                f"{lengths[text]} characters"
            )
        begins = self.begins[words.text]
        start, end = self._first[begins + words.start], self._last[begins + words.end]
        whole = (start >= 0) & (end > start)
        return Words(words.text[whole], start[whole], end[whole], words.tag[whole], words.tags)


def _texts(docs: Sequence[Doc], orths: list[int], spaces: list[int], sizes: np.ndarray) -> list[str]:
    """Make the texts that `doc.text` gives, without making a Token of every token.

    orths (list of int): the hash of each token, of all Docs concatenated.
    spaces (list of int): index of each token that a space follows.
    sizes (int64 [docs]): number of tokens of each Doc.
    RETURNS (list of str): the texts.
    """
    if not orths:
        return [""] * len(docs)
    strings = docs[0].vocab.strings
    if any(doc.vocab.strings is not strings for doc in docs):
        return [doc.text for doc in docs]
    known = {orth: strings[orth] for orth in set(orths)}
    parts = [known[orth] for orth in orths]
    for i in spaces:
        parts[i] += " "
    return ["".join(parts[a:b]) for a, b in pairwise([0, *np.cumsum(sizes).tolist()])]
