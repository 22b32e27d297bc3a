"""A vocabulary of the characters that texts have."""

import unicodedata

import numpy as np
from numpy.typing import NDArray

from ..pieces import PROBE


def frequent_characters(frequency: NDArray[np.int64], size: int) -> list[str]:
    """The most frequent characters, as `PieceMap` looks them up: letters and digits in lower case and normal width.

    frequency (int64 [0x110000]): of each character, by its code point.
    size (int): how many at most. Printable ASCII and some frequent characters of clinical Chinese are always there.
    RETURNS (list of str): the most frequent first; the same frequency by code point.
    """
    counts: dict[str, int] = {}
    for point in np.flatnonzero(frequency).tolist():
        character = folded(chr(point))
        if character.isprintable() and not character.isspace():
            counts[character] = counts.get(character, 0) + int(frequency[point])
    always = dict.fromkeys([*(chr(i).lower() for i in range(0x21, 0x7F)), *PROBE])
    others = sorted((c for c in counts if c not in always), key=lambda c: (-counts[c], c))
    return [*always, *others[: max(size - len(always), 0)]]


def folded(character: str) -> str:
    """A letter or digit in lower case and normal width; other characters as they are."""
    if not character.isalnum():
        return character
    plain = unicodedata.normalize("NFKC", character).lower()
    return plain if len(plain) == 1 else character
