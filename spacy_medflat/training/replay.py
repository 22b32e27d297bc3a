"""The states of the global random generators, so that another pass draws the same numbers."""

import random
from typing import Any, NamedTuple

import numpy as np
import torch


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
