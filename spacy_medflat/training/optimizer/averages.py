"""Exponential averages of parameters that training evaluates and saves, torch's parameters too.

spaCy's loop runs both inside `nlp.use_params(optimizer.averages)`. What thinc does there is not enough: its torch
layers look for other keys than its optimizers write, and would load, and copy, the whole state of a module. So the
pipeline that is trained gets a `use_params` of its own, which exchanges the averages with the weights in place.
"""

import gc
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import Any, NoReturn

import torch
from spacy.language import Language

from ...runtime import weights_changed
from ..parameters import KeyT, find_parameters


class ParameterAverages:
    """The average of each parameter since its first step; true as soon as there is one.

    decay (float): the weight of the past at each step of a parameter, in (0, 1); in the beginning
        (1 + t) / (10 + t) at step t = 1, 2, …, if that is less. The average starts at the weights before training. A
        parameter that has no gradient in a step keeps its average.
    """

    def __init__(self, decay: float):
        self.decay = decay
        self.values: dict[KeyT, torch.Tensor] = {}
        self.counts: dict[KeyT, int] = {}
        self._weights: dict[KeyT, torch.Tensor] = {}
        self._in_use = False

    def __bool__(self) -> bool:
        return bool(self.values)

    def start(self, key: KeyT, weights: torch.Tensor) -> None:
        """Begin with the weights before a step, unless there is an average already.

        key ((int, str)), weights (float tensor): the parameter, and its own memory.
        """
        if not self._weights:
            _let_pipelines_use_averages(key)
        if key not in self.values:
            self.values[key], self.counts[key] = weights.clone(), 0
        self._weights[key] = weights

    def add(self, key: KeyT) -> None:
        """Take in a parameter's weights after a step."""
        self.counts[key] += 1
        decay = min(self.decay, (1 + self.counts[key]) / (10 + self.counts[key]))
        self.values[key].lerp_(self._weights[key], 1 - decay)

    def restore(
        self, values: Mapping[KeyT, torch.Tensor], counts: Mapping[KeyT, int], weights: Mapping[KeyT, torch.Tensor]
    ) -> None:
        """Go on with averages of an earlier run.

        values (dict of float tensor), counts (dict of int): the average of each parameter, and its number of steps.
        weights (dict of float tensor): the parameters' own memory.
        """
        self.values, self.counts, self._weights = dict(values), dict(counts), dict(weights)
        for key in list(weights)[:1]:
            _let_pipelines_use_averages(key)

    @contextmanager
    def swapped_in(self) -> Iterator[None]:
        """Inside, the weights are the averages; afterwards they are themselves, bit for bit, after an error too."""
        if self._in_use:
            yield
            return
        with ExitStack() as afterwards:
            self._in_use = True
            afterwards.callback(setattr, self, "_in_use", False)
            afterwards.callback(weights_changed)
            for key, value in self.values.items():
                _exchange(self._weights[key], value)
                afterwards.callback(_exchange, self._weights[key], value)
            weights_changed()
            yield

    def items(self) -> NoReturn:
        """RAISES (TypeError): thinc's own `use_params` cannot put these averages into torch's layers."""
        raise TypeError(
            "averages of LayerwiseAdamW act through `nlp.use_params` of the pipeline that was trained, not through a "
            "component's or a model's: set average_decay = 0 for `spacy pretrain`"
        )

    def __contains__(self, key: object) -> NoReturn:
        self.items()


class _UseParams:
    """`use_params` of one pipeline, which recognises averages. Copies and pickles of the pipeline have the class's."""

    def __init__(self, nlp: Language):
        self.nlp = nlp

    def __call__(self, params: Any) -> AbstractContextManager[None]:
        if isinstance(params, ParameterAverages):
            return params.swapped_in()
        return type(self.nlp).use_params(self.nlp, params)

    def __reduce__(self) -> Any:
        return getattr, (self.nlp, "use_params")


def _let_pipelines_use_averages(key: KeyT) -> None:
    """Give the pipelines that have this parameter a `use_params` that recognises averages.

    They are looked for in memory, once: an optimizer is made from a config and called with keys and arrays, and nothing
    in spaCy or thinc tells it of a pipeline before `use_params` is called, which is too late.
    """
    for nlp in gc.get_objects():
        if issubclass(type(nlp), Language) and key in find_parameters(nlp.components):
            nlp.use_params = _UseParams(nlp)


def _exchange(a: torch.Tensor, b: torch.Tensor) -> None:
    kept = a.clone()
    a.copy_(b)
    b.copy_(kept)
