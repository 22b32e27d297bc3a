"""How well scores are frequencies."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Reliability:
    """Scores beside the share of spans that are right.

    error (float): the expected calibration error (Guo et al., "On Calibration of Modern Neural Networks", 2017): the
        mean distance between score and share, each span counted once; 0 without spans.
    bins (list of (float, float, int)): mean score, share of right spans, and number of spans of each range of scores
        that has spans, ascending.
    """

    error: float
    bins: list[tuple[float, float, int]]


def reliability(
    scores: NDArray[np.floating], hits: NDArray[np.bool_], bins: int = 10, lowest: float = 0.0
) -> Reliability:
    """How well scores are frequencies.

    scores (float [spans]), hits (bool [spans]): scores in [0, 1], and which of the spans are right.
    bins (int): equal ranges of scores.
    lowest (float): spans with a lower score are not looked at.
    """
    looked_at = scores >= lowest
    score, right = scores[looked_at].astype(np.float64), hits[looked_at]
    place = np.minimum((score * bins).astype(np.int64), bins - 1)
    found = [
        (float(score[place == i].mean()), float(right[place == i].mean()), int((place == i).sum()))
        for i in np.unique(place)
    ]
    error = sum(count * abs(mean - share) for mean, share, count in found) / max(len(score), 1)
    return Reliability(error, found)
