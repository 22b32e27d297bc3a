"""Vectors of what texts are about: hashed character n-grams."""

import math
import zlib
from collections import Counter
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

WIDTH = 512
N_GRAMS = (2, 3)


def text_vectors(texts: Iterable[str]) -> Floats:
    """Vectors of unit length: texts with n-grams in common, rare ones above all, are near each other.

    tf-idf weights of character n-grams, signed into `WIDTH` columns by hashing (Weinberger et al., "Feature Hashing
    for Large Scale Multitask Learning", ICML 2009). N-grams of one text alone bring it near no other; they count only
    where a text has no others.

    texts (iterable of str): the texts.
    RETURNS (float32 [texts, width]): the vectors.
    """
    counted = [_n_grams(text) for text in texts]
    in_texts = Counter(key for counts in counted for key in counts)
    vectors = np.zeros((len(counted), WIDTH), dtype=np.float32)
    for row, counts in zip(vectors, counted, strict=True):
        shared = {key: count for key, count in counts.items() if in_texts[key] > 1} or counts
        weights = [
            (1.0 + math.log(count)) * (1.0 + math.log((1 + len(counted)) / (1 + in_texts[key])))
            for key, count in shared.items()
        ]
        keys = np.fromiter(shared, np.int64, len(shared))
        # The bit that chooses the sign is none of those that choose the column.
        np.add.at(row, keys % WIDTH, np.array(weights) * np.where(keys >> 31, 1.0, -1.0))
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    # Weights of opposite sign may cancel.
    return (vectors / np.where(length > 0, length, 1.0)).astype(np.float32)


def _n_grams(text: str) -> Counter[int]:
    """How often each n-gram occurs, by its hash; a text that is shorter is one itself."""
    return Counter(
        zlib.crc32(text[i : i + n].encode("utf-8", "surrogatepass"))
        for n in N_GRAMS
        for i in range(max(len(text) - n, 0) + 1)
    )
