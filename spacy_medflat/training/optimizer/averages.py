"""Exponential averages of parameters that `spacy train` evaluates and saves, torch's parameters too.

spaCy's loop runs both inside `nlp.use_params(optimizer.averages)`, but thinc's torch layers look for other keys there
than its optimizers write, and would load a module's parameters all or none. So `use_params` of every pipeline learns to
recognise these averages. It exchanges them with the weights in place: no copy of a module, nothing to load.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import wraps
from typing import Any, NoReturn

import torch
from spacy.language import Language
from spacy.util import logger

KeyT = tuple[int, str]


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
        """Begin with these weights, unless there is an average already. To be called before a step."""
        if key not in self.values:
            self.values[key], self.counts[key] = weights.clone(), 0

    def add(self, key: KeyT, weights: torch.Tensor) -> None:
        """Take in the weights after a step. Their memory is where the average goes when it is used."""
        self.counts[key] += 1
        decay = min(self.decay, (1 + self.counts[key]) / (10 + self.counts[key]))
        self.values[key].lerp_(weights, 1 - decay)
        self._weights[key] = weights

    def restore(
        self, values: Mapping[KeyT, torch.Tensor], counts: Mapping[KeyT, int], weights: Mapping[KeyT, torch.Tensor]
    ) -> None:
        """Go on with averages of an earlier run; `weights` are the parameters' own memory."""
        self.values, self.counts, self._weights = dict(values), dict(counts), dict(weights)

    @contextmanager
    def swapped_in(self) -> Iterator[None]:
        """Inside, the weights are the averages; afterwards they are themselves, bit for bit, after an error too."""
        if not self:
            logger.warning("No parameter was updated yet: there is no average, and the weights stand for it.")
        if self._in_use:
            yield
            return
        exchanged = []
        self._in_use = True
        try:
            for key, value in self.values.items():
                _exchange(self._weights[key], value)
                exchanged.append(key)
            yield
        finally:
            for key in exchanged:
                _exchange(self._weights[key], self.values[key])
            self._in_use = False

    def items(self) -> NoReturn:
        """RAISES TypeError: thinc's own `use_params` cannot put these averages into torch's layers."""
        raise TypeError(
            "averages of LayerwiseAdamW act through `nlp.use_params`, not through a component's or a model's: "
            "set average_decay = 0 for `spacy pretrain`"
        )

    def __contains__(self, key: object) -> NoReturn:
        self.items()


def let_pipelines_use_averages() -> None:
    """Make `use_params` of all pipelines recognise `ParameterAverages`. For other parameters nothing changes."""
    original: Any = Language.use_params
    if getattr(original, "recognises_averages", False):
        return

    @wraps(original)
    @contextmanager
    def use_params(self: Language, params: Any) -> Iterator[None]:
        with params.swapped_in() if isinstance(params, ParameterAverages) else original(self, params):
            yield

    use_params.recognises_averages = True  # type: ignore[attr-defined]
    Language.use_params = use_params  # type: ignore[method-assign]


def _exchange(a: torch.Tensor, b: torch.Tensor) -> None:
    kept = a.clone()
    a.copy_(b)
    b.copy_(kept)
