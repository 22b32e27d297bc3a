"""Taking gradients off the parameters of a pipeline and putting them back, for torch and thinc alike.

thinc's shim for torch divides the whole `.grad` of a parameter by the loss scale after every backward pass. A gradient
that is to outlive a pass must therefore not stay there.
"""

import math
from collections.abc import Container, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn

from ..._internals import grad_scaler_of, sends_gradients_away, set_overflow
from ..parameters import Pipes, find_parameters, walk_modules, walk_nodes

# Gradients by index of the parameter. None stands for zeros, which need no memory.
Gradients = dict[int, Any]


class Parameters:
    """All parameters of some components. They are found anew for each update: layers and modules can be replaced.

    pipes (iterable of (str, Pipe)): names and components.
    RAISES (ValueError): a model keeps its gradients with a remote parameter server.
    """

    def __init__(self, pipes: Pipes):
        pipes = list(pipes)
        for _, node in walk_nodes(pipes):
            if sends_gradients_away(node):
                raise ValueError(
                    f"the layer {node.name!r} sends its gradients to a remote parameter server, where adversarial "
                    "training cannot keep passes apart: train in one process"
                )
        # Several shims may share a tensor, or a scaler.
        found = find_parameters(pipes).values()
        self._parameters = list({id(getattr(item, "tensor", item)): item for item in found}.values())
        scalers = (grad_scaler_of(shim) for _, shim, _ in walk_modules(pipes))
        self._scalers = list({id(scaler): scaler for scaler in scalers if scaler is not None}.values())
        self._modules = [module for _, _, module in walk_modules(pipes)]

    def any_waiting(self) -> bool:
        """Whether a gradient other than zero waits for the optimizer."""
        gradients = (parameter.gradient for parameter in self._parameters)
        return not all(are_zero([gradient for gradient in gradients if gradient is not None]))

    def take(self) -> Gradients:
        """Remove all gradients from the parameters, without a copy."""
        taken: Gradients = {}
        for i, parameter in enumerate(self._parameters):
            if parameter.gradient is not None:
                taken[i], parameter.gradient = parameter.gradient, None
        return taken

    @contextmanager
    def set_aside(self) -> Iterator[Gradients]:
        """Remove gradients other than zero; they, and the overflows of before, come back after an error in the block.

        Arrays of zeros stay where they are, for the next pass to add to.
        """
        overflow, waiting = self.overflow, {}
        found = {i: p.gradient for i, p in enumerate(self._parameters) if p.gradient is not None}
        for (i, gradient), zero in zip(found.items(), are_zero(list(found.values())), strict=True):
            waiting[i] = None if zero else gradient
            if not zero:
                self._parameters[i].gradient = None
        try:
            yield waiting
        except BaseException:
            self.put(waiting)
            self.overflow = overflow
            raise

    def put(self, gradients: Gradients) -> None:
        """Give the parameters these gradients, and no others."""
        for i, parameter in enumerate(self._parameters):
            gradient = gradients.get(i)
            parameter.gradient = parameter.zeros() if i in gradients and gradient is None else gradient

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
        return [bool(scaler.found_inf) for scaler in self._scalers]

    @overflow.setter
    def overflow(self, values: Iterable[bool]) -> None:
        for scaler, value in zip(self._scalers, values, strict=True):
            set_overflow(scaler, value)

    def clear_overflow(self) -> None:
        """Forget overflows."""
        self.overflow = [False] * len(self._scalers)


def add(total: Gradients, more: Gradients, factor: float = 1.0) -> None:
    """Add `factor` × `more` to `total`, in place. Arrays of `more` may become those of `total`."""
    for i, gradient in more.items():
        if gradient is None:
            total.setdefault(i, None)
        elif total.get(i) is None:
            total[i] = gradient if factor == 1.0 else gradient * factor
        elif isinstance(gradient, torch.Tensor):
            total[i].add_(gradient, alpha=factor)
        else:
            total[i] += gradient if factor == 1.0 else factor * gradient


def scale(gradients: Gradients, factor: float) -> None:
    """Multiply by `factor`, in place."""
    for gradient in gradients.values():
        gradient *= factor


def are_finite(arrays: Iterable[Any]) -> bool:
    """Whether all values of all tensors and arrays are finite."""
    # One pass without a copy; only where a sum overflows a second look is needed.
    arrays = list(arrays)
    sums = _numbers([array.sum() for array in arrays])
    doubtful = [array for array, total in zip(arrays, sums, strict=True) if not math.isfinite(total)]
    return all(math.isfinite(value) for extremes in _extremes(doubtful) for value in extremes)


def are_zero(arrays: Sequence[Any]) -> list[bool]:
    """For each tensor or array, whether all its values are zero."""
    return [extremes == (0.0, 0.0) for extremes in _extremes(arrays)]


def _extremes(arrays: Sequence[Any]) -> list[tuple[float, float]]:
    """The least and the greatest value of each; NaN if there is one, and 0 if there is no value."""
    filled = [array for array in arrays if 0 not in array.shape]
    pairs = (
        torch.aminmax(array.detach()) if isinstance(array, torch.Tensor) else (array.min(), array.max())
        for array in filled
    )
    numbers = iter(_numbers([value for pair in pairs for value in pair]))
    return [(0.0, 0.0) if 0 in array.shape else (next(numbers), next(numbers)) for array in arrays]


def _numbers(scalars: Sequence[Any]) -> list[float]:
    """Tensors and arrays without dimensions as numbers. A GPU is asked once for all tensors, not for each."""
    tensors = [scalar.detach() for scalar in scalars if isinstance(scalar, torch.Tensor)]
    read = iter(torch.stack([t.to(tensors[0].device, torch.float64) for t in tensors]).tolist() if tensors else [])
    return [next(read) if isinstance(scalar, torch.Tensor) else float(scalar) for scalar in scalars]
