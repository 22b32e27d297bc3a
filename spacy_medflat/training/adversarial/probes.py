"""Probes: reading the gradient at an embedding, and adding a perturbation there, for the time of one pass."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any, NamedTuple, Protocol

import torch
from thinc.api import Model, torch2xp, xp2torch
from torch import Tensor, nn

from ..._internals import forward_of
from .attacks import Rows, text_groups
from .gradients import is_zero


class Capture(NamedTuple):
    """The gradient of one pass at one place.

    gradient (float [rows, hidden]), rows (Rows): both on the layer's device.
    """

    gradient: Tensor
    rows: Rows


class SkipError(Exception):
    """The attack on a batch is given up; the message says why."""


class Probe(Protocol):
    """One attacked embedding.

    layer: a torch module or a thinc layer.
    """

    layer: Any

    def attached(self, deltas: Sequence[Tensor] | None, *, capture: bool = True) -> Any:
        """A context in which one pass runs, with these perturbations (float32 [rows, hidden], one for each capture)."""

    def captures(self, lengths: Sequence[int], norm: str) -> list[Capture]:
        """What the last pass gave; empty if no gradient arrived."""


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
        return Capture(gradient, Rows(group.to(device), real, count))


class _OutputProbe:
    """What both kinds of output have in common: calls in the order of the pass."""

    def __init__(self) -> None:
        self.calls: list[_Call] = []
        self.deltas: Sequence[Tensor] | None = None
        self.capture = True

    def captures(self, lengths: Sequence[int], norm: str) -> list[Capture]:
        arrived = [call.gradient for call in self.calls if call.gradient is not None]
        return [call.capture(lengths, norm, arrived[0].device) for call in self.calls] if arrived else []

    def _begin(self, deltas: Sequence[Tensor] | None, capture: bool) -> None:
        self.calls, self.deltas, self.capture = [], deltas, capture

    def _next(self, shape: Sequence[int], padding: Tensor | None) -> tuple[_Call, Tensor | None]:
        """The record of a call, and its perturbation in the shape of the output."""
        call = _Call(shape, padding)
        self.calls.append(call)
        if self.deltas is None:
            return call, None
        i = len(self.calls) - 1
        if i >= len(self.deltas) or self.deltas[i].numel() != torch.Size(shape).numel():
            raise SkipError("an embedding layer is called in another way than in the clean pass")
        return call, self.deltas[i].reshape(call.shape)


class TorchOutput(_OutputProbe):
    """The output of an `nn.Embedding`."""

    def __init__(self, layer: nn.Embedding):
        super().__init__()
        self.layer = layer

    @contextmanager
    def attached(self, deltas: Sequence[Tensor] | None, *, capture: bool = True) -> Iterator[None]:
        self._begin(deltas, capture)
        handle = self.layer.register_forward_hook(self._hook, with_kwargs=True)
        try:
            yield
        finally:
            handle.remove()
            self.deltas = None

    def _hook(self, layer: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any], output: Tensor) -> Tensor:
        if not torch.is_grad_enabled():  # a prediction, by an annotating component
            return output
        ids = args[0] if args else kwargs["input"]
        padding = None if self.layer.padding_idx is None else ids.reshape(-1) == self.layer.padding_idx
        call, delta = self._next(output.shape, padding)
        if delta is not None:
            output = output + delta.to(output.dtype)
        if self.capture:
            if not output.requires_grad:  # a frozen table
                output.requires_grad_()
            output.register_hook(call.keep)
        return output


class ThincOutput(_OutputProbe):
    """The output of a thinc embedding layer. The layer's function is another one for the time of a pass."""

    def __init__(self, layer: Model):
        super().__init__()
        self.layer = layer

    @contextmanager
    def attached(self, deltas: Sequence[Tensor] | None, *, capture: bool = True) -> Iterator[None]:
        self._begin(deltas, capture)
        forward = forward_of(self.layer)
        self.layer.replace_callbacks(partial(self._forward, forward), init=self.layer.init)
        try:
            yield
        finally:
            self.layer.replace_callbacks(forward, init=self.layer.init)
            self.deltas = None

    def _forward(self, forward: Callable[..., Any], model: Model, X: Any, is_train: bool) -> tuple[Any, Callable]:
        Y, backprop_layer = forward(model, X, is_train)
        if not is_train:
            return Y, backprop_layer
        call, delta = self._next(Y.shape, None)
        if delta is not None:
            Y = Y + torch2xp(delta)

        def backprop(dY: Any) -> Any:
            if self.capture:
                call.keep(xp2torch(dY))
            return backprop_layer(dY)

        return Y, backprop


class _WeightProbe:
    """What both kinds of weight have in common: one group, and only rows of the batch's words are real."""

    def captures(self, lengths: Sequence[int], norm: str) -> list[Capture]:
        gradient = self._gradient()
        if gradient is None or is_zero(gradient):
            return []
        gradient = gradient.detach().reshape(-1, gradient.shape[-1])
        group = torch.zeros(len(gradient), dtype=torch.int64, device=gradient.device)
        return [Capture(gradient, Rows(group, gradient.ne(0).any(-1), 1))]

    def _gradient(self) -> Tensor | None:
        raise NotImplementedError


class TorchWeight(_WeightProbe):
    """The weight of an `nn.Embedding`. The parameter gets other data for the time of a pass, then its own again."""

    def __init__(self, layer: nn.Embedding):
        self.layer = layer

    @contextmanager
    def attached(self, deltas: Sequence[Tensor] | None, *, capture: bool = True) -> Iterator[None]:
        weight = self.layer.weight
        own = weight.data
        try:
            if deltas is not None:
                weight.data = own + deltas[0].to(own.dtype).reshape(own.shape)
            yield
        finally:
            weight.data = own

    def _gradient(self) -> Tensor | None:
        return self.layer.weight.grad


class ThincWeight(_WeightProbe):
    """The table of a thinc embedding layer. The layer gets another array for the time of a pass, then its own again."""

    def __init__(self, layer: Model):
        self.layer = layer

    @contextmanager
    def attached(self, deltas: Sequence[Tensor] | None, *, capture: bool = True) -> Iterator[None]:
        own = self.layer.get_param("E")
        try:
            if deltas is not None:
                self.layer.set_param("E", own + torch2xp(deltas[0]).reshape(own.shape))
            yield
        finally:
            self.layer.set_param("E", own)

    def _gradient(self) -> Tensor | None:
        return xp2torch(self.layer.get_grad("E")) if self.layer.has_grad("E") else None


def make_probe(layer: nn.Embedding | Model, target: str) -> Probe:
    """A probe of a layer's output or of its weights."""
    if isinstance(layer, Model):
        return ThincOutput(layer) if target == "output" else ThincWeight(layer)
    return TorchOutput(layer) if target == "output" else TorchWeight(layer)
