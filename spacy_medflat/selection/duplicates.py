"""Texts that are nearly the same: the Jaccard index of their shingles, estimated by MinHash.

Broder, "On the resemblance and containment of documents" (1997). Digits count as one character, so that notes that
differ in values and dates alone are the same.
"""

import re
import zlib
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

SHINGLE = 3
HASHES = 128
NEAR = 0.7
"""Texts with this share of common shingles are taken for the same."""

_DIGITS = re.compile(r"\d")
_PRIME = (1 << 31) - 1
_RANDOM = np.random.default_rng(0)
_FACTORS = _RANDOM.integers(1, _PRIME, HASHES, dtype=np.int64)
_TERMS = _RANDOM.integers(0, _PRIME, HASHES, dtype=np.int64)
_BLOCK = 4096


def signature(text: str) -> NDArray[np.int64]:
    """The smallest hashes of a text's shingles under `HASHES` hash functions (int64 [hashes]).

    Two texts have a hash in common with the probability that is their Jaccard index.
    """
    squeezed = _DIGITS.sub("0", "".join(text.lower().split()))
    last = max(len(squeezed) - SHINGLE + 1, 1)
    shingles = {squeezed[i : i + SHINGLE] for i in range(last)}
    hashes = np.array([zlib.crc32(s.encode("utf-8", "surrogatepass")) % _PRIME for s in shingles], dtype=np.int64)
    smallest = np.full(HASHES, _PRIME, dtype=np.int64)
    for begin in range(0, len(hashes), _BLOCK):
        block = (hashes[begin : begin + _BLOCK, None] * _FACTORS + _TERMS) % _PRIME
        np.minimum(smallest, block.min(0), out=smallest)
    return smallest


class NearDuplicates:
    """Texts seen, to tell those that are nearly one of them.

    texts (iterable of str): those that are known from the beginning.
    """

    def __init__(self, texts: Iterable[str] = ()):
        signatures = [signature(text) for text in texts]
        self._known = np.array(signatures, dtype=np.int32).reshape(-1, HASHES)
        self._size = len(signatures)

    def add_if_new(self, text: str) -> bool:
        """Add a text unless it is nearly one that was seen.

        RETURNS (bool): whether it was added.
        """
        this = signature(text).astype(np.int32)
        if self._size and float((self._known[: self._size] == this).mean(1).max()) >= NEAR:
            return False
        if self._size == len(self._known):
            self._known = np.concatenate([self._known, np.zeros((max(self._size, 256), HASHES), dtype=np.int32)])
        self._known[self._size] = this
        self._size += 1
        return True
