"""Groups of texts that are about the same: k-means on unit vectors, with weights."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .vectors import Floats

_MOST_PASSES = 30


class Clusters(NamedTuple):
    """Groups of vectors.

    label (int64 [n]): the group of each vector.
    nearness (float32 [n]): its cosine with the centre of the group.
    """

    label: NDArray[np.int64]
    nearness: Floats


def cluster(vectors: Floats, weights: NDArray[np.floating], k: int, seed: int) -> Clusters:
    """Group vectors by their direction (Dhillon and Modha, "Concept Decompositions", 2001).

    The centres are first drawn far from each other (Arthur and Vassilvitskii, "k-means++", 2007). Weights count in
    both, as in Zhdanov, "Diverse mini-batch Active Learning" (arXiv:1901.05954).

    vectors (float32 [n, width]): of unit length, or 0.
    weights (float [n]): how much each counts, not negative.
    k (int): how many groups, at most n; fewer if there are fewer directions.
    seed (int): of the draw.
    RETURNS (Clusters): the groups.
    """
    centres = _draw(vectors, weights, k, np.random.default_rng(seed))
    label = np.full(len(vectors), -1)
    for _ in range(_MOST_PASSES):
        nearness = vectors @ centres.T
        before, label = label, nearness.argmax(1)
        if np.array_equal(before, label):
            break
        sums = np.zeros_like(centres)
        np.add.at(sums, label, vectors * weights[:, None].astype(np.float32))
        length = np.linalg.norm(sums, axis=1, keepdims=True)
        # A group that nothing is in keeps its centre.
        centres = np.where(length > 0, sums / np.where(length > 0, length, 1.0), centres)
    return Clusters(label, (vectors * centres[label]).sum(1))


def _draw(vectors: Floats, weights: NDArray[np.floating], k: int, random: np.random.Generator) -> Floats:
    far = np.full(len(vectors), 2.0)
    chosen: list[int] = []
    # With equal weights for all if none has any.
    weights = weights if weights.sum() > 0 else np.ones(len(vectors))
    while len(chosen) < k:
        chances = far * weights
        if chances.sum() <= 1e-9:
            break
        chosen.append(int(random.choice(len(vectors), p=chances / chances.sum())))
        # Rounding makes the distance of a vector to itself a little more or less than 0.
        distance = 1.0 - vectors @ vectors[chosen[-1]]
        far = np.minimum(far, np.where(distance < 1e-6, 0.0, distance))
    return vectors[chosen]
