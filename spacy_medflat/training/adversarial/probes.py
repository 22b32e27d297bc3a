"""Probes: reading the gradient at an embedding, and adding a perturbation there, for the time of one pass."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any, NamedTuple

import torch
from thinc.api import Model, torch2xp, xp2torch
from torch import Tensor, nn

from ..._internals import forward_of
from ...runtime import to_device
from .attacks import Rows, text_groups
from .gradients import are_zero

# A torch module, or one of thinc's layers `Embed` and `HashEmbed`.
Layer = nn.Embedding | Model


class Capture(NamedTuple):
    """The gradient of one pass at one place, on the layer's device.

    gradient (float [rows, hidden]): of the loss.
    rows (Rows): which of its rows belong together.
    """

    gradient: Tensor
    rows: Rows


class SkipError(Exception):
    """The attack on a batch is given up; the message says why."""


class _Call:
    """One call of an embedding layer in training."""

    def __init__(self, shape: Sequence[int], padding: Tensor | None):
        self.shape, self.padding = tuple(shape), padding
        self.gradient: Tensor | None = None

    def keep(self, gradient: Tensor) -> None:
        flat = gradient.detach().reshape(-1, self.shape[-1])
        self.gradient = flat.clone() if self.gradient is None else self.gradient + flat

    def capture(self, lengths: Sequence[int], norm: str, device: torch.device) -> Capture:
        group, count = text_groups(self.shape, lengths, norm)
        gradient = self.gradient
        if gradient is None:
            gradient = torch.zeros(len(group), self.shape[-1], device=device)
        real = gradient.ne(0).any(-1)
        if self.padding is not None:
            real &= ~self.padding
        return Capture(gradient, Rows(to_device(group, device), real, count))


class OutputProbe:
    """The output of an embedding layer: of each call in training, in the order of the pass.

    layer (Embedding or Model): torch's gets a hook for the time of a pass, thinc's another function.
    """

    def __init__(self, layer: Layer):
        self.layer = layer
        self._calls: list[_Call] = []
        self._deltas: Sequence[Tensor] | None = None
        self._capture = True

    @contextmanager
    def attached(self, deltas: Sequence[Tensor] | None, *, capture: bool = True) -> Iterator[None]:
        """A context in which one pass runs.

        deltas (list of float32 [rows, hidden], or None): perturbations, one for each capture of the clean pass.
        capture (bool): keep the gradients for `captures`.
        """
        self._calls, self._deltas, self._capture = [], deltas, capture
        layer = self.layer
        if isinstance(layer, Model):
            forward = forward_of(layer)
            layer.replace_callbacks(partial(self._forward, forward), init=layer.init)
            detach: Callable[[], None] = partial(layer.replace_callbacks, forward, init=layer.init)
        else:
            detach = layer.register_forward_hook(self._hook, with_kwargs=True).remove
        try:
            yield
        finally:
            detach()
            self._deltas = None

    def captures(self, lengths: Sequence[int], norm: str) -> list[Capture]:
        """What the last pass gave, one for each call; empty if no gradient arrived.

        lengths (sequence of int), norm (str): see `text_groups`.
        """
        arrived = [call.gradient for call in self._calls if call.gradient is not None]
        return [call.capture(lengths, norm, arrived[0].device) for call in self._calls] if arrived else []

    def _next(self, shape: Sequence[int], padding: Tensor | None) -> tuple[_Call, Tensor | None]:
        """The record of a call, and its perturbation in the shape of the output."""
        call = _Call(shape, padding)
        self._calls.append(call)
        if self._deltas is None:
            return call, None
        i = len(self._calls) - 1
        if i >= len(self._deltas) or self._deltas[i].numel() != torch.Size(shape).numel():
            raise SkipError("an embedding layer is called in another way than in the clean pass")
        return call, self._deltas[i].reshape(call.shape)

    def _hook(self, layer: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any], output: Tensor) -> Tensor:
        if not torch.is_grad_enabled():  # a prediction, by an annotating component
            return output
        ids = args[0] if args else kwargs["input"]
        padding = None if layer.padding_idx is None else ids.reshape(-1) == layer.padding_idx
        call, delta = self._next(output.shape, padding)
        if delta is not None:
            output = output + delta.to(output.dtype)
        if self._capture:
            if not output.requires_grad:  # a frozen table
                output.requires_grad_()
            output.register_hook(call.keep)
        return output

    def _forward(self, forward: Callable[..., Any], model: Model, X: Any, is_train: bool) -> tuple[Any, Callable]:
        Y, backprop_layer = forward(model, X, is_train)
        if not is_train:
            return Y, backprop_layer
        call, delta = self._next(Y.shape, None)
        if delta is not None:
            Y = Y + torch2xp(delta)

        def backprop(dY: Any) -> Any:
            if self._capture:
                call.keep(xp2torch(dY))
            return backprop_layer(dY)

        return Y, backprop


class WeightProbe:
    """The weights of an embedding layer: other values for the time of a pass, then its own again.

    All are one group, and only rows of the batch's words are real.

    layer (Embedding or Model): torch's `weight` gets other data, thinc's parameter `E` another array.
    """

    def __init__(self, layer: Layer):
        self.layer = layer

    @contextmanager
    def attached(self, deltas: Sequence[Tensor] | None, *, capture: bool = True) -> Iterator[None]:
        """As in `OutputProbe`; there is one perturbation, and the gradient is always kept."""
        layer = self.layer
        own: Any
        replace: Callable[[Any], None]
        if isinstance(layer, Model):
            own, replace = layer.get_param("E"), partial(layer.set_param, "E")
        else:
            own, replace = layer.weight.data, partial(setattr, layer.weight, "data")
        try:
            if deltas is not None:
                delta = deltas[0].reshape(own.shape)
                replace(own + (torch2xp(delta) if isinstance(layer, Model) else delta.to(own.dtype)))
            yield
        finally:
            replace(own)

    def captures(self, lengths: Sequence[int], norm: str) -> list[Capture]:
        """As in `OutputProbe`, of the whole table."""
        layer = self.layer
        if isinstance(layer, Model):
            gradient = xp2torch(layer.get_grad("E")) if layer.has_grad("E") else None
        else:
            gradient = layer.weight.grad
        if gradient is None or are_zero([gradient])[0]:
            return []
        gradient = gradient.detach().reshape(-1, gradient.shape[-1])
        group = torch.zeros(len(gradient), dtype=torch.int64, device=gradient.device)
        return [Capture(gradient, Rows(group, gradient.ne(0).any(-1), 1))]


Probe = OutputProbe | WeightProbe


def make_probe(layer: Layer, target: str) -> Probe:
    """A probe of a layer's `output` or of its `weights`."""
    return OutputProbe(layer) if target == "output" else WeightProbe(layer)
