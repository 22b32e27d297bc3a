"""The parameters of a pipeline, thinc's and torch's, found in one walk over the models of its components."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import torch
from thinc.api import Model, torch2xp
from torch import nn

from .._internals import drop_gradient, module_of

# What an optimizer sees of a parameter: the id of its layer or shim, which differs between processes, and a name.
KeyT = tuple[int, str]
# `nlp.components`, or `nlp.pipeline` for those that are not disabled.
Pipes = Iterable[tuple[str, Any]]


@dataclass
class TorchParameter:
    """A parameter of a torch module.

    name (str): see `find_parameters`.
    tensor (Parameter): with values and gradient.
    """

    name: str
    tensor: nn.Parameter

    @property
    def array(self) -> Any:
        """The values as an array on the parameter's device, in the same memory."""
        return torch2xp(self.tensor.data)

    @property
    def gradient(self) -> torch.Tensor | None:
        """The gradient; None removes it."""
        return self.tensor.grad

    @gradient.setter
    def gradient(self, value: torch.Tensor | None) -> None:
        self.tensor.grad = value

    def zeros(self) -> torch.Tensor:
        """A gradient of zeros."""
        return torch.zeros_like(self.tensor, memory_format=torch.contiguous_format)


@dataclass
class ThincParameter:
    """A parameter of a thinc layer.

    name (str): see `find_parameters`.
    node (Model): the layer.
    key (str): the layer's own name for it.
    """

    name: str
    node: Model
    key: str

    @property
    def array(self) -> Any:
        """The values, in the layer's own memory."""
        return self.node.get_param(self.key)

    @property
    def gradient(self) -> Any:
        """The gradient; None removes it."""
        return self.node.maybe_get_grad(self.key)

    @gradient.setter
    def gradient(self, value: Any) -> None:
        if value is None:
            drop_gradient(self.node, self.key)
        else:
            self.node.set_grad(self.key, value)

    def zeros(self) -> Any:
        """A gradient of zeros."""
        return self.node.ops.xp.zeros_like(self.array)


Parameter = TorchParameter | ThincParameter


def walk_nodes(pipes: Pipes) -> Iterator[tuple[str, Model]]:
    """The layers of components' models.

    YIELDS ((str, Model)): the place, component and number such as `medflat_ner/3`, and the layer.
    """
    for name, pipe in pipes:
        model = getattr(pipe, "model", None)
        if isinstance(model, Model):
            for i, node in enumerate(model.walk()):
                yield f"{name}/{i}", node


def walk_modules(pipes: Pipes) -> Iterator[tuple[str, Any, nn.Module]]:
    """The torch modules of components' models, those that are initialized.

    YIELDS ((str, Shim, Module)): the place, such as `medflat_ner/3.0`, thinc's shim, and the module in it.
    """
    for place, node in walk_nodes(pipes):
        for i, shim in enumerate(node.shims):
            if isinstance(module := module_of(shim), nn.Module):
                yield f"{place}.{i}", shim, module


def find_parameters(pipes: Pipes) -> dict[KeyT, Parameter]:
    """Each parameter by the key that an optimizer sees.

    Names are the same in every process: the place of the layer, and the parameter's name there, such as
    `medflat_ner/3.0/pair.weight`.
    """
    pipes = list(pipes)
    found: dict[KeyT, Parameter] = {}
    for place, node in walk_nodes(pipes):
        for name in filter(node.has_param, node.param_names):
            found.setdefault((node.id, name), ThincParameter(f"{place}/{name}", node, name))
    for place, shim, module in walk_modules(pipes):
        for name, tensor in module.named_parameters():
            found.setdefault((shim.id, name), TorchParameter(f"{place}/{name}", tensor))
    return found
