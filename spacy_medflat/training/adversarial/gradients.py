"""Taking gradients off the parameters of a pipeline and putting them back, for torch and thinc alike.

thinc's shim for torch divides the whole `.grad` of a parameter by the loss scale after every backward pass. A gradient
that is to outlive a pass must therefore not stay there.
"""

import math
from collections.abc import Container, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from thinc.api import Model
from torch import nn

from ..._internals import (
    drop_gradient,
    found_overflow,
    grad_scaler_of,
    module_of,
    sends_gradients_away,
    set_overflow,
)

# Gradients by index of the parameter. None stands for zeros, which need no memory.
Gradients = dict[int, Any]


class Parameters:
    """All parameters of some models. They are found anew for each update: layers and modules can be replaced."""

    def __init__(self, models: Iterable[Model]):
        """RAISES ValueError: a model keeps its gradients with a remote parameter server."""
        self._slots: list[_TorchSlot | _ThincSlot] = []
        self._scalers: list[Any] = []
        self._modules: list[nn.Module] = []
        seen: set[int] = set()
        for node in (node for model in models for node in model.walk()):
            if id(node) in seen:
                continue
            seen.add(id(node))
            if sends_gradients_away(node):
                raise ValueError(
                    f"the layer {node.name!r} sends its gradients to a remote parameter server, where adversarial "
                    "training cannot keep passes apart: train in one process"
                )
            self._slots.extend(_ThincSlot(node, name) for name in node.param_names)
            for shim in node.shims:
                scaler = grad_scaler_of(shim)
                if scaler is not None and id(scaler) not in seen:
                    seen.add(id(scaler))
                    self._scalers.append(scaler)
                module = module_of(shim)
                if not isinstance(module, nn.Module):
                    continue
                self._modules.append(module)
                for param in module.parameters():
                    if id(param) not in seen:
                        seen.add(id(param))
                        self._slots.append(_TorchSlot(param))

    def waiting(self) -> bool:
        """Whether a gradient other than zero waits for the optimizer."""
        return any(grad is not None and not is_zero(grad) for grad in (slot.get() for slot in self._slots))

    def take(self) -> Gradients:
        """Remove all gradients from the parameters, without a copy."""
        taken = {i: slot.get() for i, slot in enumerate(self._slots)}
        for slot in self._slots:
            slot.set(None)
        return {i: grad for i, grad in taken.items() if grad is not None}

    def take_waiting(self) -> Gradients:
        """Remove gradients other than zero. Arrays of zeros stay where they are, for the next pass to add to."""
        taken: Gradients = {}
        for i, slot in enumerate(self._slots):
            grad = slot.get()
            if grad is not None:
                taken[i] = None if is_zero(grad) else grad
                if taken[i] is not None:
                    slot.set(None)
        return taken

    def put(self, gradients: Gradients) -> None:
        """Give the parameters these gradients, and no others."""
        for i, slot in enumerate(self._slots):
            if i in gradients:
                slot.set(slot.zeros() if gradients[i] is None else gradients[i])
            else:
                slot.set(None)

    @contextmanager
    def spared(self, layers: Container[Any]) -> Iterator[None]:
        """For the time of a pass, torch computes no weights' gradients in modules that hold one of these layers.

        The tables of embeddings keep theirs, so that a gradient still arrives at them and at what they give. It saves
        about a third of the pass.
        """
        weights = []
        for module in self._modules:
            parts = list(module.modules())
            if any(part in layers for part in parts):
                tables = {id(part.weight) for part in parts if isinstance(part, nn.Embedding)}
                weights += [p for p in module.parameters() if p.requires_grad and id(p) not in tables]
        try:
            for weight in weights:
                weight.requires_grad_(False)
            yield
        finally:
            for weight in weights:
                weight.requires_grad_(True)

    @property
    def overflow(self) -> list[bool]:
        """For each gradient scaler of mixed precision, whether a gradient overflowed since the last step."""
        return [found_overflow(scaler) for scaler in self._scalers]

    @overflow.setter
    def overflow(self, values: Iterable[bool]) -> None:
        for scaler, value in zip(self._scalers, values, strict=True):
            set_overflow(scaler, value)

    def clear_overflow(self) -> None:
        """Forget overflows."""
        self.overflow = [False] * len(self._scalers)


class _TorchSlot:
    """The gradient of a torch parameter."""

    def __init__(self, param: nn.Parameter):
        self.param = param

    def get(self) -> torch.Tensor | None:
        return self.param.grad

    def set(self, grad: torch.Tensor | None) -> None:
        self.param.grad = grad

    def zeros(self) -> torch.Tensor:
        return torch.zeros_like(self.param, memory_format=torch.contiguous_format)


class _ThincSlot:
    """The gradient of a thinc parameter. thinc can set a gradient, but not remove it."""

    def __init__(self, node: Model, name: str):
        self.node, self.name = node, name

    def get(self) -> Any:
        return self.node.get_grad(self.name) if self.node.has_grad(self.name) else None

    def set(self, grad: Any) -> None:
        if grad is None:
            drop_gradient(self.node, self.name)
        else:
            self.node.set_grad(self.name, grad)

    def zeros(self) -> Any:
        return self.node.ops.xp.zeros_like(self.node.get_param(self.name))


def add(total: Gradients, more: Gradients, factor: float = 1.0) -> None:
    """Add `factor` × `more` to `total`, which may change in place; `more` stays as it is."""
    for i, grad in more.items():
        if grad is None:
            total.setdefault(i, None)
        elif total.get(i) is None:
            total[i] = grad * factor
        elif isinstance(grad, torch.Tensor):
            total[i].add_(grad, alpha=factor)
        else:
            total[i] += grad if factor == 1.0 else factor * grad


def scale(gradients: Gradients, factor: float) -> None:
    """Multiply by `factor`, in place."""
    for grad in gradients.values():
        if grad is not None:
            grad *= factor


def is_finite(array: Any) -> bool:
    """Whether all values of a tensor or array are finite."""
    # One pass without a copy; only a sum that overflows needs a second look.
    return math.isfinite(float(array.sum())) or all(math.isfinite(value) for value in _extremes(array))


def is_zero(array: Any) -> bool:
    """Whether all values of a tensor or array are zero."""
    return _extremes(array) == (0.0, 0.0)


def _extremes(array: Any) -> tuple[float, float]:
    """The least and the greatest value; NaN if there is one."""
    if 0 in array.shape:
        return 0.0, 0.0
    if isinstance(array, torch.Tensor):
        least, greatest = torch.aminmax(array.detach())
        return float(least), float(greatest)
    return float(array.min()), float(array.max())
