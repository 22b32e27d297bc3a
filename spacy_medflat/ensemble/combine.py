"""One list of spans from those of several members."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ..ner.candidates import Candidates, split_by_text


def combine(found: Sequence[Candidates], known: NDArray[np.bool_]) -> Candidates:
    """The mean score of every span of a text that a member found. One that did not find it counts as 0.

    found: the spans of each member, each at most once, with labels counted among all of the ensemble.
    known (bool [members, labels]): the labels of each member. The mean of a label is over the members that know it.
    """
    spans = np.concatenate([np.stack(spans[:3], axis=1) for spans in found])
    unique, index = np.unique(spans, axis=0, return_inverse=True)
    # Three equal scores must have exactly this score as their mean, or they would pass another threshold than it.
    score = np.concatenate([spans.score for spans in found]).astype(np.float64)
    start, end, label = unique.T
    mean = np.bincount(index.ravel(), weights=score, minlength=len(unique)) / known.sum(axis=0)[label]
    combined = Candidates(start, end, label, mean.astype(np.float32))
    return split_by_text(np.zeros_like(start), combined, 1)[0]
