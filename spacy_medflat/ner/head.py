"""What the component asks of a head, and how the pointer heads answer."""

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray
from thinc.types import Ragged

from .spans import Candidates, GoldSpans


@runtime_checkable
class SpanHead(Protocol):
    """Turns the features that a model gives for each token into a loss and into spans.

    An architecture for `medflat_ner` is a `Model[list[Doc], Ragged]` that carries such an object in
    `attrs["span_head"]`. It holds neither weights nor labels: the component passes its labels, in their order.
    """

    def sizes(self, labels: Sequence[str]) -> dict[str, int]:
        """The sizes that the model's output layer needs for these labels, by the name of its attribute."""

    def out_of_reach(self, gold: GoldSpans, labels: Sequence[str]) -> dict[str, NDArray[np.bool_]]:
        """Which gold spans cannot be learnt (bool [spans]), for each reason there is. Reasons do not overlap."""

    def loss(self, features: Ragged, gold: GoldSpans, labels: Sequence[str]) -> tuple[float, Ragged]:
        """The loss of a batch, summed over texts, and its gradient, shaped like the features.

        features (Ragged float [tokens, n]): one row for each token, texts behind each other.
        gold (GoldSpans): all within reach.
        """

    def candidates(self, features: Ragged, floors: NDArray[np.floating], labels: Sequence[str]) -> list[Candidates]:
        """The spans of each text with a logit above the floor of their label (float [labels])."""


def lengths_of(features: Ragged) -> NDArray[np.int64]:
    """Tokens of each text (int64 [texts]), on the CPU."""
    lengths = features.lengths
    return np.asarray(lengths.get() if hasattr(lengths, "get") else lengths, dtype=np.int64)
