"""Random numbers: the states of all generators, saved and restored, and a stream that has states of its own."""

import random
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, TypeVar

import numpy as np
import torch
from thinc.api import get_current_ops
from thinc.backends import CupyOps

T = TypeVar("T")
# The states of Python's, numpy's and torch's global generators, torch's on each GPU too, by name; not CuPy's.
RandomState = Mapping[str, np.ndarray]
_END = object()


def dump_random_state() -> dict[str, np.ndarray]:
    """The present states, as arrays that a checkpoint can hold."""
    _, integers, gauss = random.getstate()
    _, keys, *rest = np.random.get_state()
    arrays = {
        "python": np.asarray(integers, "uint32"),
        "python_gauss": np.asarray([] if gauss is None else [gauss], "d"),
        "numpy": np.asarray(keys),
        "numpy_rest": np.asarray(rest, "d"),
        "torch": torch.get_rng_state().numpy(),
    }
    for i, state in enumerate(torch.cuda.get_rng_state_all() if torch.cuda.is_initialized() else []):
        arrays[f"torch_cuda_{i}"] = state.numpy()
    return arrays


def load_random_state(arrays: RandomState) -> None:
    """Go back to these states."""
    gauss = arrays["python_gauss"].tolist()
    random.setstate((3, tuple(arrays["python"].tolist()), gauss[0] if gauss else None))
    position, has_gauss, cached = arrays["numpy_rest"].tolist()
    np.random.set_state(("MT19937", arrays["numpy"], int(position), int(has_gauss), cached))
    torch.set_rng_state(torch.from_numpy(arrays["torch"].copy()))
    for name, state in arrays.items():
        if name.startswith("torch_cuda_") and torch.cuda.is_available():
            torch.cuda.set_rng_state(torch.from_numpy(state.copy()), int(name.rsplit("_", 1)[1]))


def seed_cupy(seed: int) -> None:
    """Seed CuPy's generator, if it is in use: its state cannot be read.

    So with thinc layers on a GPU a resumed run draws other dropout masks than an uninterrupted one.
    """
    ops = get_current_ops()
    if isinstance(ops, CupyOps):
        ops.xp.random.seed(seed)


def with_own_randomness(items: Iterable[T]) -> Iterator[T]:
    """The items, drawn with generators that start in the present states and that nothing else uses.

    What is drawn then depends on nothing that happens between the items, so it can be drawn again without it. Others
    find their states as they left them.
    """
    iterator = iter(items)
    own = dump_random_state()
    while True:
        others = dump_random_state()
        load_random_state(own)
        try:
            item: Any = next(iterator, _END)
        finally:
            own = dump_random_state()
            load_random_state(others)
        if item is _END:
            return
        yield item
