"""What the component asks of a head, and how the pointer heads answer."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, cast, runtime_checkable

import numpy as np
from numpy.typing import NDArray
from thinc.api import torch2xp, xp2torch
from thinc.types import Ragged
from torch import Tensor

from .band import make_band
from .candidates import Candidates, find_candidates
from .loss import GoldSpans, span_loss
from .pointer import SpanScores


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


@dataclass(frozen=True)
class PointerHead:
    """Scores every span of at most `max_width` tokens in one step, so nesting costs nothing."""

    scores: SpanScores
    max_width: int

    def sizes(self, labels: Sequence[str]) -> dict[str, int]:
        return {"n_labels": len(labels)}

    def out_of_reach(self, gold: GoldSpans, labels: Sequence[str]) -> dict[str, NDArray[np.bool_]]:
        return {f"too wide for max_width {self.max_width}": gold.end - gold.start > self.max_width}

    def loss(self, features: Ragged, gold: GoldSpans, labels: Sequence[str]) -> tuple[float, Ragged]:
        x = xp2torch(features.dataXd).detach().requires_grad_(True)
        loss = span_loss(x, make_band(lengths_of(features), self.max_width), self.scores, gold)
        loss.backward()
        return float(loss.detach()), Ragged(torch2xp(cast(Tensor, x.grad)), features.lengths)

    def candidates(self, features: Ragged, floors: NDArray[np.floating], labels: Sequence[str]) -> list[Candidates]:
        x = xp2torch(features.dataXd)
        return find_candidates(x, make_band(lengths_of(features), self.max_width), self.scores, floors)


def lengths_of(features: Ragged) -> NDArray[np.int64]:
    """Tokens of each text (int64 [texts]), on the CPU."""
    lengths = features.lengths
    return np.asarray(lengths.get() if hasattr(lengths, "get") else lengths, dtype=np.int64)
