"""The parameters of a pipeline by names that are the same in every process that builds it from the same config."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from spacy.language import Language
from thinc.api import Model, torch2xp
from thinc.backends import get_array_ops
from thinc.util import to_numpy
from torch import nn

from .averages import KeyT


@dataclass(frozen=True)
class Parameter:
    """A parameter's stable name and its own memory."""

    name: str
    array: Any


def find_parameters(nlp: Language) -> dict[KeyT, Parameter]:
    """Each parameter of the pipeline by the key that an optimizer sees, an id and a name.

    Ids differ between processes. Stable names are the component, the place in its model, and the parameter's name:
    `medflat_ner/3.0/pair.weight`.
    """
    found: dict[KeyT, Parameter] = {}
    for place, node in _nodes(nlp):
        for name in node.param_names:
            if node.has_param(name):
                found.setdefault((node.id, name), Parameter(f"{place}/{name}", node.get_param(name)))
    for place, shim in _torch_shims(nlp):
        for name, tensor in shim._model.named_parameters():
            found.setdefault((shim.id, name), Parameter(f"{place}/{name}", torch2xp(tensor.data)))
    return found


def dump_weights(nlp: Language) -> dict[str, np.ndarray]:
    """Parameters, buffers of torch modules and scales of mixed precision, by stable names."""
    return {name: to_numpy(array) for name, array in _weights(nlp)}


def load_weights(nlp: Language, saved: Mapping[str, np.ndarray]) -> None:
    """Put saved weights into the pipeline's own memory.

    RAISES ValueError: names or shapes are not those of the pipeline. Nothing was changed then.
    """
    own = dict(_weights(nlp))
    if missing := sorted(own.keys() ^ saved.keys()):
        place = "the pipeline" if missing[0] in own else "the saved weights"
        raise ValueError(f"{missing[0]!r} is only in {place}, and {len(missing) - 1} others differ like that")
    for name, array in own.items():
        if array.shape != saved[name].shape:
            raise ValueError(f"{name!r} has the shape {array.shape}, but {saved[name].shape} is saved")
    for name, array in own.items():
        array[...] = get_array_ops(array).asarray(saved[name])


def _weights(nlp: Language) -> Iterator[tuple[str, Any]]:
    for parameter in find_parameters(nlp).values():
        yield parameter.name, parameter.array
    for place, shim in _torch_shims(nlp):
        parameters = {name for name, _ in shim._model.named_parameters(remove_duplicate=False)}
        for name, tensor in shim._model.state_dict().items():
            if name not in parameters:
                yield f"{place}/buffer/{name}", torch2xp(tensor)
        scaler: Any = getattr(shim, "_grad_scaler", None)
        if getattr(scaler, "_enabled", False):
            yield f"{place}/scale", torch2xp(scaler._scale)
            yield f"{place}/growth", torch2xp(scaler._growth_tracker)


def _nodes(nlp: Language) -> Iterator[tuple[str, Model]]:
    """The nodes of all components' models, disabled ones too, each with its place."""
    for name, pipe in nlp.components:
        model = getattr(pipe, "model", None)
        if isinstance(model, Model):
            for i, node in enumerate(model.walk()):
                yield f"{name}/{i}", node


def _torch_shims(nlp: Language) -> Iterator[tuple[str, Any]]:
    for place, node in _nodes(nlp):
        for i, shim in enumerate(node.shims):
            if isinstance(getattr(shim, "_model", None), nn.Module):
                yield f"{place}.{i}", shim
