"""What the component asks of a head, and how named tensors pass between its model and the head."""

from collections.abc import Callable, Sequence
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray
from thinc.api import ArgsKwargs, Model

from .spans import Candidates, GoldSpans


@runtime_checkable
class SpanHead(Protocol):
    """Makes a loss and spans of the features that a model gives.

    An architecture for `medflat_ner` is a `Model[list[Doc], F]` with such an object in `attrs["span_head"]`, where F is
    whatever model and head agree on: an array, or a NamedTuple of tensors. Its reference `output_layer` is the layer
    that makes the features; it finds the sizes that the head names in its `attrs` before it is initialized. A tok2vec
    below it, its own or a listener, gives one vector for each token. The head holds neither weights nor labels: the
    component passes its labels, in their order.

    Features are those of all texts of a batch, concatenated, with at least one token.
    """

    def sizes(self, labels: Sequence[str]) -> dict[str, int]:
        """The sizes that the output layer needs for these labels, by the name of its attribute."""

    def out_of_reach(self, gold: GoldSpans, labels: Sequence[str]) -> dict[str, NDArray[np.bool_]]:
        """Which gold spans cannot be learnt (bool [spans]), for each reason there is. Reasons do not overlap."""

    def loss(
        self, features: Any, lengths: NDArray[np.int64], gold: GoldSpans, labels: Sequence[str]
    ) -> tuple[float, Any]:
        """The loss of a batch, summed over texts, and its gradient, structured like the features.

        lengths (int64 [texts]): tokens of each text, 0 allowed.
        gold (GoldSpans): all within reach. Its unknown spans, of which some may be out of reach, must not be called
            negative, and the loss of a text is multiplied by its weight.
        """

    def candidates(
        self, features: Any, lengths: NDArray[np.int64], lowest: NDArray[np.floating], labels: Sequence[str]
    ) -> list[Candidates]:
        """The spans of each text with a logit above the lowest of their label.

        lengths (int64 [texts]): tokens of each text, 0 allowed.
        lowest (float [labels]): logits. They may be below those of the thresholds, so that what comes later can still
            lift a span above its threshold.
        """


def convert_named_outputs(model: Model, inputs_and_output: tuple[Any, Any], is_train: bool) -> tuple[Any, Callable]:
    """Pass a NamedTuple of torch tensors on as it is, and its gradients back: `convert_outputs` of a torch layer."""
    output = inputs_and_output[1]

    def to_torch(gradient: Any) -> ArgsKwargs:
        pairs = [(tensor, d) for tensor, d in zip(output, gradient, strict=True) if tensor.requires_grad]
        tensors, gradients = zip(*pairs, strict=True)
        return ArgsKwargs(args=(tensors,), kwargs={"grad_tensors": list(gradients)})

    return type(output)(*(tensor.detach() for tensor in output)), to_torch
