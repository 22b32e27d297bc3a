"""Sequences of one length, packed with texts so that no place is wasted, in an order that a seed gives again."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from ...lattice.lexicon_words import Matcher, text_begins
from ..pieces import PieceMap
from .survey import Survey
from .texts import SeenTexts, TextInput, read_passages

# What is said of each place of a sequence.
IDS, WORDS = 0, 1
# Of a place: outside of words, at the begin of a word, inside a word.
OUTSIDE, BEGIN, INSIDE = 0, 1, 2
# int32 [2, places]: wordpiece ids, and where the words are.
Places = NDArray[np.int32]

# Pieces that wait in the buffer that is drawn from.
SHUFFLED_PIECES = 2**22
_CHUNK = 2**15


class CharacterPieces:
    """Maps characters to wordpieces as `PieceMap` does, many at once.

    pieces (PieceMap): the rule.
    matcher (Matcher or None): finds words that do not overlap.
    """

    def __init__(self, pieces: PieceMap, matcher: Matcher | None = None):
        self.pieces = pieces
        self._matcher = matcher
        self._table = np.full(0x110000, -1, dtype=np.int32)

    def __call__(self, texts: Sequence[str]) -> Places:
        """The pieces of texts, one after the other, each followed by [SEP]."""
        points = np.frombuffer("\n".join([*texts, ""]).encode("utf-32-le"), dtype="<u4")
        ids = self._table[points]
        if (ids < 0).any():
            for point in np.unique(points[ids < 0]).tolist():
                self._table[point] = self.pieces.piece_id(chr(point))
            ids = self._table[points]
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

    Neighbouring texts stand in a sequence with [SEP] between them, and a text that does not fit goes on in the next.

    length (int): places of a sequence, [CLS] and [SEP] among them.
    pieces (PieceMap): has the special pieces.
    """

    def __init__(self, length: int, pieces: PieceMap):
        self._length, self._pieces = length, pieces
        self._rest: Places = np.zeros((2, 0), dtype=np.int32)

    def add(self, places: Places) -> Iterator[Places]:
        """Add pieces that end with a [SEP]. YIELDS (int32 [2, length]): the sequences that are full."""
        waiting = np.concatenate([self._rest, places], axis=1)
        start, room, sep = 0, self._length - 1, self._pieces.sep_id
        while waiting.shape[1] - start >= room:
            last = start + room - 1
            yield self._sequence(waiting[:, start:last])
            start = last + 1 if waiting[IDS, last] == sep else last
        self._rest = waiting[:, start:].copy()

    def finish(self) -> Iterator[Places]:
        """YIELDS (int32 [2, length]): what is left, filled up with [PAD], if anything is."""
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


def shuffled(sequences: Iterator[Places], length: int, draw: np.random.Generator) -> Iterator[Places]:
    """Sequences in random order: each is drawn from those that wait, at most `SHUFFLED_PIECES` pieces."""
    capacity = max(SHUFFLED_PIECES // length, 1)
    waiting: NDArray[np.int32] = np.full((capacity, 2, length), 0, dtype=np.int32)
    filled = 0
    for sequence in sequences:
        if filled < capacity:
            waiting[filled] = sequence
            filled += 1
            continue
        place = int(draw.integers(capacity))
        yield waiting[place].copy()
        waiting[place] = sequence
    for place in draw.permutation(filled).tolist():
        yield waiting[place].copy()


def epoch_of(
    inputs: Sequence[TextInput], survey: Survey, encode: CharacterPieces, length: int, seed: int, epoch: int
) -> Iterator[Places]:
    """The sequences of an epoch, without the held-out texts. The same arguments give the same ones.

    All inputs are read side by side, each as far as the others in proportion to its length; an input of weight 2 is
    read twice.

    YIELDS (int32 [2, length]): see `Places`.
    """
    draw = np.random.default_rng([seed, epoch])
    yield from shuffled(_side_by_side(inputs, survey, encode, length), length, draw)


def _side_by_side(
    inputs: Sequence[TextInput], survey: Survey, encode: CharacterPieces, length: int
) -> Iterator[Places]:
    # Each reading of an input is to keep texts that an earlier one has had.
    seen = [SeenTexts() for _ in range(max(given.weight for given in inputs))]
    streams = {given.name: _chunks(given, survey.held_out, seen) for given in inputs}
    packers = {given.name: Packer(length, encode.pieces) for given in inputs}
    total = {given.name: max(survey.counts[given.name].characters, 1) * given.weight for given in inputs}
    done = dict.fromkeys(streams, 0)
    while streams:
        name = min(streams, key=lambda name: done[name] / total[name])
        chunk = next(streams[name], None)
        if chunk is None:
            del streams[name]
            yield from packers[name].finish()
        else:
            done[name] += sum(map(len, chunk))
            yield from packers[name].add(encode(chunk))


def _chunks(given: TextInput, held_out: dict[int, str], seen: Sequence[SeenTexts]) -> Iterator[list[str]]:
    """Texts of an input together, some `_CHUNK` characters."""
    chunk: list[str] = []
    size = 0
    for known in seen[: given.weight]:
        for text, digest in read_passages(given, known, Counter()):
            if digest in held_out:
                continue
            chunk.append(text)
            size += len(text)
            if size >= _CHUNK:
                yield chunk
                chunk, size = [], 0
    if chunk:
        yield chunk


class Sequences:
    """The sequences of all epochs, without an end, and where they are.

    make_epoch (callable): gives the sequences of an epoch by its number.
    epoch, taken (int): where to begin: the epoch, and how many of its sequences were taken before.
    """

    def __init__(self, make_epoch: Callable[[int], Iterator[Places]], epoch: int = 0, taken: int = 0):
        self.epoch, self.taken = epoch, 0
        self._make_epoch = make_epoch
        self._current = make_epoch(epoch)
        for _ in range(taken):
            next(self._current, None)
            self.taken += 1

    def batch(self, size: int) -> NDArray[np.int32]:
        """The next sequences (int32 [size, 2, length])."""
        batch: list[Places] = []
        while len(batch) < size:
            if (sequence := next(self._current, None)) is not None:
                self.taken += 1
                batch.append(sequence)
            else:
                self.epoch, self.taken = self.epoch + 1, 0
                self._current = self._make_epoch(self.epoch)
        return np.stack(batch)
