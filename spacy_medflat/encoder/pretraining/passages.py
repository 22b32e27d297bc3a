"""The texts to learn from: each once, in bounded memory."""

import hashlib
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from .text_inputs import LONGEST, LeftOut, TextInput, read_texts

NOT_DECODED = "not in the encoding of their file"
DUPLICATE = "read before"
# Of 8 bytes: some four million texts, whatever the texts are.
_SLOTS = 2**22


class Passage(NamedTuple):
    """A text to learn from.

    text (str): at most `LONGEST` characters, without white space at its ends.
    digest (int): 64 bits that know it again.
    """

    text: str
    digest: int


class SeenTexts:
    """Knows which texts came before, in bounded memory: those of long ago may be forgotten, none is made up.

    It holds a digest in each of `slots` places. A text that comes to a place takes it from the one before.
    """

    def __init__(self, slots: int = _SLOTS):
        self._places = np.zeros(slots, dtype=np.uint64)

    def add(self, digest: int) -> bool:
        """Remember a text. RETURNS (bool): whether it is new."""
        digest = digest or 1
        place = digest % len(self._places)
        if int(self._places[place]) == digest:
            return False
        self._places[place] = digest
        return True


def read_passages(given: TextInput, seen: SeenTexts, left_out: LeftOut) -> Iterator[Passage]:
    """Read an input once, in its order.

    given (TextInput): what to read.
    seen (SeenTexts): the texts so far; those that it knows are left out, the others added.
    left_out (LeftOut): counts the texts that are not used.
    YIELDS (Passage): each text that is not blank.
    RAISES (MedflatError): the input cannot be read.
    """
    for whole in read_texts(given, left_out):
        for start in range(0, len(whole), LONGEST):
            text = whole[start : start + LONGEST].strip()
            if not text:
                continue
            try:
                data = text.encode("utf-8")
            except UnicodeEncodeError:
                left_out.add(NOT_DECODED)
                continue
            digest = int.from_bytes(hashlib.blake2b(data, digest_size=8).digest(), "little")
            if seen.add(digest):
                yield Passage(text, digest)
            else:
                left_out.add(DUPLICATE)
