"""Mixed precision on every device: float16 on a GPU, which thinc does, and bfloat16 on a CPU, which it does not."""

from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

import torch
from thinc.api import get_torch_default_device


@dataclass(frozen=True)
class CpuAutocast:
    """Runs torch layers in bfloat16 where thinc's mixed precision, which is for a GPU, does nothing.

    Weights, their gradients and the optimizer stay float32, and so does all that autocast leaves alone; bfloat16 has
    the range of float32, so gradients need no scaling. It pays on a CPU that multiplies bfloat16 itself (`avx512_bf16`
    or `amx_bf16` among the flags of `lscpu`); on others it is slower than float32.

    enabled (bool): the setting `mixed_precision` of an architecture.
    """

    enabled: bool

    @property
    def for_gpu(self) -> bool:
        """Whether thinc is to do it: its gradient scaler raises errors for tensors that are not on a GPU."""
        return self.enabled and get_torch_default_device().type == "cuda"

    def __call__(self) -> AbstractContextManager:
        """A context for calls of torch layers, forward only."""
        if self.enabled and not self.for_gpu:
            return torch.autocast("cpu", torch.bfloat16)
        return nullcontext()
