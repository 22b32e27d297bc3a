"""Vectors of what texts are about: hashed character n-grams with weights."""

import math
import zlib
from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Piece = tuple[str, float]

WIDTH = 512
N_GRAMS = (2, 3)


def text_vectors(texts: Sequence[Iterable[Piece]]) -> Floats:
    """Vectors of unit length: texts with n-grams in common, rare ones above all, are near each other.

    tf-idf weights of character n-grams, signed into `WIDTH` columns by hashing (Weinberger et al., "Feature Hashing
    for Large Scale Multitask Learning", ICML 2009), so that nothing depends on the texts of another run.

    texts (sequence of iterables of (str, float)): the pieces of each text that count, with their weights.
    RETURNS (float32 [texts, width]): the vectors; 0 for a text without pieces.
    """
    counted = [_weights(pieces) for pieces in texts]
    in_texts = Counter(key for weights in counted for key in weights)
    vectors = np.zeros((len(counted), WIDTH), dtype=np.float32)
    for row, weights in zip(vectors, counted, strict=True):
        keys = np.fromiter(weights, np.int64, len(weights))
        inverse = [math.log((1 + len(counted)) / (1 + in_texts[key])) + 1.0 for key in weights]
        values = np.log1p(np.fromiter(weights.values(), np.float64, len(weights))) * np.array(inverse)
        # The bits that choose the sign are others than those that choose the column.
        np.add.at(row, keys % WIDTH, values * np.where(keys >> 31, 1.0, -1.0))
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    return (vectors / np.where(length > 0, length, 1.0)).astype(np.float32)


def _weights(pieces: Iterable[Piece]) -> dict[int, float]:
    """The weight of each n-gram, by its hash."""
    weights: dict[int, float] = {}
    for piece, weight in pieces:
        for n in N_GRAMS:
            for i in range(max(len(piece) - n, 0) + 1):
                key = zlib.crc32(piece[i : i + n].encode("utf-8", "surrogatepass"))
                weights[key] = weights.get(key, 0.0) + weight
    return weights
