"""The learnt state of a pipeline and of its optimizer, by names that are the same in every process."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from safetensors.numpy import load, save
from spacy.language import Language
from thinc.api import Model, Optimizer, torch2xp, xp2torch
from thinc.backends import get_array_ops
from thinc.util import to_numpy
from torch import nn

from ..._internals import grad_scaler_of, module_of, scaler_state
from ..optimizer.averages import KeyT
from ..optimizer.layerwise import LayerwiseAdamW


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
        for name, tensor in module_of(shim).named_parameters():
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
        parameters = {name for name, _ in module_of(shim).named_parameters(remove_duplicate=False)}
        for name, tensor in module_of(shim).state_dict().items():
            if name not in parameters:
                yield f"{place}/buffer/{name}", torch2xp(tensor)
        for name, tensor in scaler_state(grad_scaler_of(shim)).items():
            yield f"{place}/{name}", torch2xp(tensor)


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
            if isinstance(module_of(shim), nn.Module):
                yield f"{place}.{i}", shim


Arrays = dict[str, np.ndarray]
_MOMENTS = ("mean", "square", "step")
_THINC = ("mom1", "mom2", "averages", "nr_update", "last_seen")


def optimizer_to_bytes(optimizer: Optimizer, parameters: Mapping[KeyT, Parameter]) -> bytes:
    """Moments, steps, averages and position of the schedules, as safetensors. See `dump_optimizer`."""
    return save(dump_optimizer(optimizer, parameters))


def optimizer_from_bytes(optimizer: Optimizer, data: bytes, parameters: Mapping[KeyT, Parameter]) -> None:
    """Continue where `optimizer_to_bytes` was called. See `load_optimizer`."""
    load_optimizer(optimizer, load(data), parameters)


def dump_optimizer(optimizer: Optimizer, parameters: Mapping[KeyT, Parameter]) -> Arrays:
    """The state of an optimizer.

    parameters: what `find_parameters` says of the pipeline it trains.
    RAISES ValueError: it has trained a parameter that is not of the pipeline, or is of an unknown type.
    """
    if isinstance(optimizer, LayerwiseAdamW):
        return _dump_layerwise(optimizer, parameters)
    if type(optimizer) is not Optimizer:
        raise ValueError(
            f"cannot save the state of a {type(optimizer).__name__}: use spacy_medflat.LayerwiseAdamW.v1 or an "
            "optimizer of thinc's"
        )
    arrays = {}
    for what in _THINC:
        for key, value in (getattr(optimizer, what) or {}).items():
            array = np.asarray(value) if isinstance(value, int) else to_numpy(value)
            arrays[f"{what}:{_name(key, parameters)}"] = array
    return arrays


def load_optimizer(optimizer: Optimizer, arrays: Arrays, parameters: Mapping[KeyT, Parameter]) -> None:
    """Put a saved state into a new optimizer of the same settings.

    Schedules of LayerwiseAdamW are stepped forward; those of thinc's optimizers are not, their steps are not counted.
    RAISES ValueError: the state has a parameter that the pipeline has not, or the other shape for it.
    """
    keys = {parameter.name: key for key, parameter in parameters.items()}
    for label, array in arrays.items():
        what, _, name = label.partition(":")
        if what in (*_MOMENTS, *_THINC, "average", "count") and name not in keys:
            raise ValueError(f"the optimizer's state has {name!r}, which the pipeline has not")
        if what in ("mean", "square", "average", "averages") and array.shape != parameters[keys[name]].array.shape:
            shape = parameters[keys[name]].array.shape
            raise ValueError(f"{name!r} has the shape {shape}, but the optimizer's state {array.shape}")
    if isinstance(optimizer, LayerwiseAdamW):
        _load_layerwise(optimizer, arrays, keys, parameters)
        return
    for what in _THINC:
        saved = {
            keys[name]: int(array) if array.dtype.kind == "i" else _like(array, parameters[keys[name]])
            for name, array in _of(arrays, what).items()
        }
        if what in ("nr_update", "last_seen"):
            setattr(optimizer, what, defaultdict(int, saved))
        elif getattr(optimizer, what) is not None:
            setattr(optimizer, what, saved)


def _dump_layerwise(optimizer: LayerwiseAdamW, parameters: Mapping[KeyT, Parameter]) -> Arrays:
    arrays: Arrays = {"steps:": np.asarray(optimizer.steps)}
    for key, moments in optimizer.moments.items():
        name = _name(key, parameters)
        arrays.update({f"{what}:{name}": value.cpu().numpy() for what, value in zip(_MOMENTS, moments, strict=True)})
    averages: Any = optimizer.averages
    if averages is not None:
        for key, value in averages.values.items():
            arrays[f"average:{_name(key, parameters)}"] = value.cpu().numpy()
            arrays[f"count:{_name(key, parameters)}"] = np.asarray(averages.counts[key])
    return arrays


def _load_layerwise(
    optimizer: LayerwiseAdamW, arrays: Arrays, keys: Mapping[str, KeyT], parameters: Mapping[KeyT, Parameter]
) -> None:
    def tensors(what: str) -> dict[KeyT, torch.Tensor]:
        found = {keys[name]: array for name, array in _of(arrays, what).items()}
        return {key: xp2torch(_like(array, parameters[key])) for key, array in found.items()}

    mean, square, step = (tensors(what) for what in _MOMENTS)
    weights = {key: parameters[key].array for key in mean}
    moments = {key: (mean[key], square[key], step[key]) for key in mean}
    optimizer.restore(moments, weights, int(arrays["steps:"]))
    averages: Any = optimizer.averages
    if averages is not None:
        counts = {keys[name]: int(array) for name, array in _of(arrays, "count").items()}
        memory = {key: xp2torch(array).detach() for key, array in weights.items()}
        averages.restore(tensors("average"), counts, {key: memory[key] for key in counts})


def _of(arrays: Arrays, what: str) -> Arrays:
    return {name.partition(":")[2]: array for name, array in arrays.items() if name.partition(":")[0] == what}


def _like(array: np.ndarray, parameter: Parameter) -> Any:
    """A copy of the array on the parameter's device."""
    return get_array_ops(parameter.array).asarray(array.copy())


def _name(key: KeyT, parameters: Mapping[KeyT, Parameter]) -> str:
    if key not in parameters:
        raise ValueError(f"the optimizer has trained a parameter {key[1]!r} that is not in the pipeline")
    return parameters[key].name
