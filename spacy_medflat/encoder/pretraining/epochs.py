"""The order in which sequences are learnt from: mixed from all inputs, and the same again for the same seed."""

from collections.abc import Callable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from ...errors import MedflatError
from .packing import CharacterPieces, Packer, Places
from .passages import SeenTexts, read_passages
from .survey import Survey
from .text_inputs import LeftOut, TextInput

# Pieces that wait in the buffer that is drawn from.
SHUFFLED_PIECES = 2**22
_CHUNK = 2**15


def epoch_of(
    inputs: Sequence[TextInput], survey: Survey, encode: CharacterPieces, length: int, seed: int, epoch: int
) -> Iterator[Places]:
    """The sequences of an epoch, without the held-out texts. The same arguments give the same ones.

    All inputs are read side by side, each as far as the others in proportion to its length, and one of weight 2 twice.

    inputs (sequence of TextInput), survey (Survey): the texts.
    encode (CharacterPieces): makes pieces of them.
    length (int): of a sequence.
    seed, epoch (int): decide the order.
    YIELDS (int32 [2, length]): see `Places`.
    """
    draw = np.random.default_rng([seed, epoch])
    yield from shuffled(_side_by_side(inputs, survey, encode, length), length, draw)


def shuffled(sequences: Iterator[Places], length: int, draw: np.random.Generator) -> Iterator[Places]:
    """Sequences in random order: each is drawn from those that wait, at most `SHUFFLED_PIECES` pieces."""
    capacity = max(SHUFFLED_PIECES // length, 1)
    waiting: NDArray[np.int32] = np.zeros((capacity, 2, length), dtype=np.int32)
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


def _side_by_side(
    inputs: Sequence[TextInput], survey: Survey, encode: CharacterPieces, length: int
) -> Iterator[Places]:
    # The second reading of an input is to keep the texts of the first.
    seen = [SeenTexts() for _ in range(max(given.weight for given in inputs))]
    streams = {given.name: _chunks(given, survey, seen) for given in inputs}
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


def _chunks(given: TextInput, survey: Survey, seen: Sequence[SeenTexts]) -> Iterator[list[str]]:
    """Texts of an input together, some `_CHUNK` characters."""
    chunk: list[str] = []
    size = 0
    for known in seen[: given.weight]:
        for text, digest in read_passages(given, known, LeftOut()):
            if digest in survey.held_out:
                continue
            chunk.append(text)
            size += len(text)
            if size >= _CHUNK:
                yield chunk
                chunk, size = [], 0
    if chunk:
        yield chunk


class Sequences:
    """The sequences of all epochs, without an end, and how far they are taken.

    make_epoch (callable): gives the sequences of an epoch by its number.
    epoch, taken (int): where to begin: the epoch, and how many of its sequences were taken before.
    """

    def __init__(self, make_epoch: Callable[[int], Iterator[Places]], epoch: int = 0, taken: int = 0):
        self.epoch, self.taken = epoch, taken
        self._make_epoch = make_epoch
        self._current = make_epoch(epoch)
        for _ in range(taken):
            next(self._current, None)

    def batch(self, size: int) -> NDArray[np.int32]:
        """The next sequences (int32 [size, 2, length]); after the last of an epoch comes the next epoch."""
        batch: list[Places] = []
        empty = False
        while len(batch) < size:
            if (sequence := next(self._current, None)) is not None:
                self.taken += 1
                batch.append(sequence)
                empty = False
            elif empty:
                raise MedflatError("the inputs have changed: there is no text left; train anew, with --force")
            else:
                empty = True
                self.epoch, self.taken = self.epoch + 1, 0
                self._current = self._make_epoch(self.epoch)
        return np.stack(batch)
