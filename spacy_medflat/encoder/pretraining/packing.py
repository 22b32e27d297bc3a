"""Texts as wordpieces, one a character, packed into sequences of one length so that no place is wasted."""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from ...lattice.lexicon_words import Matcher, text_begins
from ..pieces import PieceMap

# The rows of `Places`: wordpiece ids, and where words are.
IDS, WORDS = 0, 1
# Of a place: outside of words, at the begin of a word, inside a word.
OUTSIDE, BEGIN, INSIDE = 0, 1, 2
# int32 [2, places]
Places = NDArray[np.int32]

_CODE_POINTS = 0x110000


def code_points(text: str) -> NDArray[np.uint32]:
    """The code points of a text (uint32 [characters])."""
    return np.frombuffer(text.encode("utf-32-le"), dtype="<u4")


class CharacterPieces:
    """Maps characters to wordpieces as `PieceMap` does, many at once.

    pieces (PieceMap): the rule.
    matcher (Matcher or None): finds words that do not overlap.
    """

    def __init__(self, pieces: PieceMap, matcher: Matcher | None = None):
        self.pieces = pieces
        self._matcher = matcher
        self._table = np.full(_CODE_POINTS, -1, dtype=np.int32)

    def ids(self, points: NDArray[np.uint32]) -> NDArray[np.int32]:
        """The pieces of code points (both [n])."""
        ids = self._table[points]
        if (ids < 0).any():
            for point in np.unique(points[ids < 0]).tolist():
                self._table[point] = self.pieces.piece_id(chr(point))
            ids = self._table[points]
        return ids

    def unknown_share(self, frequency: NDArray[np.int64]) -> float:
        """Share of characters that are [UNK], 0 to 1.

        frequency (int64 [0x110000]): how often each character stands in the texts, by its code point.
        """
        points = np.flatnonzero(frequency).astype(np.uint32)
        unknown = points[self.ids(points) == self.pieces.unk_id]
        return float(frequency[unknown].sum() / max(frequency.sum(), 1))

    def __call__(self, texts: Sequence[str]) -> Places:
        """The pieces of texts, one after the other, each followed by [SEP], and the words in them.

        RETURNS (int32 [2, characters + texts])
        """
        # One character for each [SEP]; which does not matter.
        ids = self.ids(code_points("\n".join([*texts, ""])))
        places = np.zeros((2, len(ids)), dtype=np.int32)
        places[IDS] = ids
        begins = text_begins(texts)
        places[IDS, begins[1:] - 1] = places[IDS, -1] = self.pieces.sep_id
        if self._matcher is not None:
            words = self._matcher.find(texts)
            start, end = words.start + begins[words.text], words.end + begins[words.text]
            change = np.zeros(len(ids) + 1, dtype=np.int32)
            change[start] = 1
            change[end] -= 1
            places[WORDS] = INSIDE * np.cumsum(change[:-1])
            places[WORDS, start] = BEGIN
        return places


class Packer:
    """Cuts a stream of pieces into sequences `[CLS] … [SEP]` of one length.

    Neighbouring texts stand in a sequence with [SEP] between them, and a text that does not fit goes on in the next, as
    in RoBERTa (https://arxiv.org/abs/1907.11692). Attention crosses from text to text.

    length (int): places of a sequence, [CLS] and [SEP] among them.
    pieces (PieceMap): has the special pieces.
    """

    def __init__(self, length: int, pieces: PieceMap):
        self._length, self._pieces = length, pieces
        self._rest: Places = np.zeros((2, 0), dtype=np.int32)

    def add(self, places: Places) -> Iterator[Places]:
        """Add pieces that end with a [SEP].

        YIELDS (int32 [2, length]): the sequences that are full.
        """
        waiting = np.concatenate([self._rest, places], axis=1)
        start, room, sep = 0, self._length - 1, self._pieces.sep_id
        while waiting.shape[1] - start >= room:
            last = start + room - 1
            yield self._sequence(waiting[:, start:last])
            # The [SEP] of a text that fits is that of the sequence. One place before the end there are two of them.
            start = last + 1 if waiting[IDS, last] == sep else last
        self._rest = waiting[:, start:].copy()

    def finish(self) -> Iterator[Places]:
        """The rest, filled up with [PAD].

        YIELDS (int32 [2, length]): one sequence, or none.
        """
        if self._rest.shape[1]:
            yield self._sequence(self._rest[:, :-1])
            self._rest = self._rest[:, :0]

    def _sequence(self, places: Places) -> Places:
        n = places.shape[1]
        sequence = np.zeros((2, self._length), dtype=np.int32)
        sequence[:, 1 : n + 1] = places
        sequence[IDS, 0] = self._pieces.cls_id
        sequence[IDS, n + 1] = self._pieces.sep_id
        sequence[IDS, n + 2 :] = self._pieces.pad_id
        return sequence
