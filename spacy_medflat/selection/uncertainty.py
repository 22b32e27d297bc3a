"""How unsure a pipeline is of a text, by the scores of the spans that it considered."""

import numpy as np
from numpy.typing import NDArray

from ..ner.spans import Candidates

OVERHEAD = 20
"""What it costs to open a text, in characters to be read. It keeps fragments from being the cheapest to annotate."""


def entropy(candidates: Candidates) -> NDArray[np.float64]:
    """How unsure it is whether each span is an entity of its label, in bits (float64 [n]): 1 at a score of .5."""
    logit = np.abs(candidates.logit)
    # H(p) = log(1 + e^-x) + x * sigmoid(-x), for x = |logit|, which does not cancel near 0 and 1.
    with np.errstate(invalid="ignore", over="ignore"):
        nats = np.log1p(np.exp(-logit)) + logit / (1.0 + np.exp(logit))
    return np.where(np.isfinite(logit), nats, 0.0) / np.log(2.0)


def text_uncertainty(candidates: Candidates, length: int) -> float:
    """What annotating a text would tell, in bits, for each character that must be read.

    Of the spans that begin at one token the most unsure one counts: ends and labels are doubtful together, and a
    pipeline of little training, which takes nearly everything for possible, is then no more unsure than of each token.
    The sum is divided by the length, as in Shen et al., "Deep Active Learning for Named Entity Recognition" (ICLR
    2018), since long texts have more of everything, plus `OVERHEAD`.

    candidates (Candidates): of the text, above a low threshold.
    length (int): of the text, in characters.
    """
    if not len(candidates.start):
        return 0.0
    bits = np.zeros(int(candidates.start.max()) + 1)
    np.maximum.at(bits, candidates.start, entropy(candidates))
    return float(bits.sum()) / (length + OVERHEAD)
