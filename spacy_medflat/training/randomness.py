"""Random numbers: the states of all generators, saved and restored, and a stream that has states of its own."""

import random
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple, TypeVar

import numpy as np
import torch
from thinc.api import get_current_ops
from thinc.backends import CupyOps

T = TypeVar("T")
_END = object()


class RandomState(NamedTuple):
    """The states of Python's, numpy's and torch's generators, torch's on each GPU too; not CuPy's."""

    python: Any
    numpy: Any
    torch_cpu: torch.Tensor
    torch_gpus: list[torch.Tensor]

    @classmethod
    def now(cls) -> "RandomState":
        """The present states."""
        gpus = torch.cuda.get_rng_state_all() if torch.cuda.is_initialized() else []
        return cls(random.getstate(), np.random.get_state(), torch.get_rng_state(), gpus)

    def restore(self) -> None:
        """Go back to these states."""
        random.setstate(self.python)
        np.random.set_state(self.numpy)
        torch.set_rng_state(self.torch_cpu)
        if self.torch_gpus:
            torch.cuda.set_rng_state_all(self.torch_gpus)


def dump_random_state() -> dict[str, np.ndarray]:
    """The states of Python's, numpy's and torch's global generators, torch's on each GPU too."""
    _, words, gauss = random.getstate()
    _, keys, *rest = np.random.get_state()
    arrays = {
        "python": np.asarray(words, "uint32"),
        "python_gauss": np.asarray([] if gauss is None else [gauss], "d"),
        "numpy": np.asarray(keys),
        "numpy_rest": np.asarray(rest, "d"),
        "torch": torch.get_rng_state().numpy(),
    }
    for i, state in enumerate(torch.cuda.get_rng_state_all() if torch.cuda.is_initialized() else []):
        arrays[f"torch_cuda_{i}"] = state.numpy()
    return arrays


def load_random_state(arrays: Mapping[str, np.ndarray], step: int) -> None:
    """Go on with saved states.

    step (int): seeds cupy's generator, whose state cannot be read: with thinc layers on a GPU a resumed run draws other
        dropout masks than an uninterrupted one.
    """
    gauss = arrays["python_gauss"].tolist()
    random.setstate((3, tuple(arrays["python"].tolist()), gauss[0] if gauss else None))
    position, has_gauss, cached = arrays["numpy_rest"].tolist()
    np.random.set_state(("MT19937", arrays["numpy"], int(position), int(has_gauss), cached))
    torch.set_rng_state(torch.from_numpy(arrays["torch"].copy()))
    for name, state in arrays.items():
        if name.startswith("torch_cuda_") and torch.cuda.is_available():
            torch.cuda.set_rng_state(torch.from_numpy(state.copy()), int(name.rsplit("_", 1)[1]))
    ops = get_current_ops()
    if isinstance(ops, CupyOps):
        ops.xp.random.seed(step)


def with_own_randomness(items: Iterable[T]) -> Iterator[T]:
    """The items, drawn with generators that start in the present states and that nobody else uses.

    What is drawn then depends on nothing that happens between the items, so it can be drawn again without it. Others
    find their states as they left them.
    """
    iterator = iter(items)
    own = RandomState.now()
    while True:
        others = RandomState.now()
        own.restore()
        try:
            item: Any = next(iterator, _END)
        finally:
            own = RandomState.now()
            others.restore()
        if item is _END:
            return
        yield item
