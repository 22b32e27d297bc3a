"""The learnt state of a pipeline and of its optimizer, by names that are the same in every process."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import torch
from spacy.language import Language
from thinc.api import Optimizer, torch2xp, xp2torch
from thinc.backends import get_array_ops
from thinc.util import to_numpy

from ..._internals import grad_scaler_of, scaler_state
from ...runtime import weights_changed
from ..optimizer.layerwise import LayerwiseAdamW
from ..parameters import KeyT, find_parameters, walk_modules

Arrays = dict[str, np.ndarray]
# What the optimizers keep of each parameter: ours, and thinc's under the names of their attributes.
_MOMENTS = ("mean", "square", "step")
_AVERAGES = ("average", "count")
_THINC_ARRAYS = ("mom1", "mom2", "averages")
_THINC_COUNTS = ("nr_update", "last_seen")


def dump_weights(nlp: Language) -> Arrays:
    """Parameters, buffers of torch modules and scales of mixed precision, by stable names."""
    return {name: to_numpy(array) for name, array in _weights(nlp)}


def load_weights(nlp: Language, saved: Mapping[str, np.ndarray]) -> None:
    """Put saved weights into the pipeline's own memory.

    nlp (Language): of the same components.
    saved (dict of arrays): what `dump_weights` gave.
    RAISES (ValueError): names or shapes are not those of the pipeline. Nothing was changed then.
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
    weights_changed()


def _weights(nlp: Language) -> Iterator[tuple[str, Any]]:
    for parameter in find_parameters(nlp.components).values():
        yield parameter.name, parameter.array
    for place, shim, module in walk_modules(nlp.components):
        parameters = {name for name, _ in module.named_parameters(remove_duplicate=False)}
        for name, tensor in module.state_dict().items():
            if name not in parameters:
                yield f"{place}/buffer/{name}", torch2xp(tensor)
        for name, tensor in scaler_state(grad_scaler_of(shim)).items():
            yield f"{place}/{name}", torch2xp(tensor)


def dump_optimizer(optimizer: Optimizer, nlp: Language) -> Arrays:
    """The state of an optimizer: moments, steps, averages and the position of its schedules.

    optimizer (Optimizer): LayerwiseAdamW, or one of thinc's.
    nlp (Language): the pipeline it trains.
    RETURNS (dict of arrays): by kind and stable name.
    RAISES (ValueError): it has trained a parameter that is not of the pipeline, or is of an unknown type.
    """
    kinds: dict[str, Mapping[KeyT, Any]]
    arrays: Arrays = {}
    if isinstance(optimizer, LayerwiseAdamW):
        arrays["steps:"] = np.asarray(optimizer.steps)
        kinds = {what: {key: m[i] for key, m in optimizer.moments.items()} for i, what in enumerate(_MOMENTS)}
        if (averages := optimizer.averages) is not None:
            kinds.update(zip(_AVERAGES, (averages.values, averages.counts), strict=True))
    elif type(optimizer) is Optimizer:
        kinds = {what: getattr(optimizer, what) or {} for what in (*_THINC_ARRAYS, *_THINC_COUNTS)}
    else:
        raise ValueError(
            f"cannot save the state of a {type(optimizer).__name__}: use spacy_medflat.LayerwiseAdamW.v1 or an "
            "optimizer of thinc's"
        )
    parameters = find_parameters(nlp.components)
    for what, values in kinds.items():
        for key, value in values.items():
            if key not in parameters:
                raise ValueError(f"the optimizer has trained a parameter {key[1]!r} that is not in the pipeline")
            array = value.cpu().numpy() if isinstance(value, torch.Tensor) else to_numpy(value)
            arrays[f"{what}:{parameters[key].name}"] = array
    return arrays


def load_optimizer(optimizer: Optimizer, arrays: Arrays, nlp: Language) -> None:
    """Put a saved state into a new optimizer of the same settings.

    Schedules of LayerwiseAdamW are stepped forward; those of thinc's optimizers are not, their steps are not counted.

    optimizer (Optimizer): a new one.
    arrays (dict of arrays): what `dump_optimizer` gave.
    nlp (Language): the pipeline it is to train.
    RAISES (ValueError): the state has a parameter that the pipeline has not, or the other shape for it.
    """
    parameters = find_parameters(nlp.components)
    keys = {parameter.name: key for key, parameter in parameters.items()}
    kinds: defaultdict[str, dict[KeyT, np.ndarray]] = defaultdict(dict)
    for label, array in arrays.items():
        what, _, name = label.partition(":")
        if not name:  # the steps
            continue
        if name not in keys:
            raise ValueError(f"the optimizer's state has {name!r}, which the pipeline has not")
        shape = parameters[keys[name]].array.shape
        if what in ("mean", "square", "average", "averages") and array.shape != shape:
            raise ValueError(f"{name!r} has the shape {shape}, but the optimizer's state {array.shape}")
        kinds[what][keys[name]] = array

    def copies(what: str) -> dict[KeyT, Any]:
        """The arrays of a kind, each on the device of its parameter."""
        return {key: get_array_ops(parameters[key].array).asarray(array.copy()) for key, array in kinds[what].items()}

    def tensors(what: str) -> dict[KeyT, torch.Tensor]:
        return {key: xp2torch(array) for key, array in copies(what).items()}

    def integers(what: str) -> dict[KeyT, int]:
        return {key: int(array) for key, array in kinds[what].items()}

    if isinstance(optimizer, LayerwiseAdamW):
        mean, square, step = map(tensors, _MOMENTS)
        weights = {key: parameters[key].array for key in mean}
        moments = {key: (mean[key], square[key], step[key]) for key in mean}
        optimizer.restore(moments, weights, int(arrays["steps:"]))
        if optimizer.averages is not None:
            counts = integers("count")
            memory = {key: xp2torch(weights[key]).detach() for key in counts}
            optimizer.averages.restore(tensors("average"), counts, memory)
        return
    for what in _THINC_ARRAYS:
        if getattr(optimizer, what) is not None:
            setattr(optimizer, what, copies(what))
    optimizer.nr_update, optimizer.last_seen = (defaultdict(int, integers(what)) for what in _THINC_COUNTS)
