"""How unsure a pipeline is of a text, by the scores of the spans that it considered."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..ner.spans import Candidates

OVERHEAD = 20
"""What it costs to open a text, in characters to be read. It keeps fragments from being the cheapest to annotate."""


class UnsureSpan(NamedTuple):
    """A span that may be an entity.

    start, end (int): in characters, `end` exclusive.
    bits (float): how unsure its label is, from 0 to 1.
    """

    start: int
    end: int
    bits: float


def entropy(candidates: Candidates) -> NDArray[np.float64]:
    """How unsure it is whether each span is an entity of its label, in bits (float64 [n]): 1 at a score of .5."""
    logit = np.abs(candidates.logit)
    # H(p) = log(1 + e^-x) + x * sigmoid(-x), for x = |logit|, which does not cancel near 0 and 1.
    with np.errstate(invalid="ignore", over="ignore"):
        nats = np.log1p(np.exp(-logit)) + logit / (1.0 + np.exp(logit))
    return np.where(np.isfinite(logit), nats, 0.0) / np.log(2.0)


def text_uncertainty(bits: NDArray[np.float64], length: int) -> float:
    """What annotating a text would tell, for each character that must be read.

    The sum of the entropies is that of the annotation, if spans are independent, as the heads take them. It is divided
    by the length, as in Shen et al., "Deep Active Learning for Named Entity Recognition" (ICLR 2018), since long texts
    have more of everything; `OVERHEAD` is added to it.

    bits (float64 [n]): of the spans. length (int): of the text, in characters.
    """
    return float(bits.sum()) / (length + OVERHEAD)
