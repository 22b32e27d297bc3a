"""How unsure a pipeline is of a text, by the scores of the spans that it considered."""

import numpy as np
from numpy.typing import NDArray

from ..ner.spans import Candidates

OVERHEAD = 20
"""What it costs to open a text, in characters to be read. It keeps fragments from being the cheapest to annotate."""


def reading_cost(text: str) -> int:
    """What annotating a text costs, in characters: its length and `OVERHEAD`."""
    return len(text) + OVERHEAD


def entropy(candidates: Candidates) -> NDArray[np.float64]:
    """How unsure it is whether each span is an entity of its label, in bits (float64 [n]): 1 at a score of .5."""
    logit = np.abs(candidates.logit)
    # H(p) = log(1 + e^-x) + x * sigmoid(-x), for x = |logit|, which does not cancel near 0 and 1.
    with np.errstate(invalid="ignore", over="ignore"):
        nats = np.log1p(np.exp(-logit)) + logit / (1.0 + np.exp(logit))
    return np.where(np.isfinite(logit), nats, 0.0) / np.log(2.0)


def label_bits(candidates: Candidates, labels: int) -> NDArray[np.float64]:
    """What annotating a text would tell of each label, in bits.

    Of the spans that begin at one token the most unsure one counts: ends and labels are doubtful together, and a
    pipeline of little training, which takes nearly everything for possible, is then no more unsure than of each token.

    candidates (Candidates): of the text, above a low threshold.
    labels (int): how many labels there are.
    RETURNS (ndarray): the sums (float64 [labels]).
    """
    bits = entropy(candidates)
    order = np.lexsort((-bits, candidates.start))
    first_of_start = np.unique(candidates.start[order], return_index=True)[1]
    most = order[first_of_start]
    sums = np.zeros(labels)
    np.add.at(sums, candidates.label[most], bits[most])
    return sums
