"""Layers whose weights are 8-bit integers: torch's FBGEMM kernels on an x86 CPU with AVX2, float32 elsewhere.

A weight is `round(w / scale)`, with a scale for each row of the matrix. A linear layer also divides each vector that it
reads by its largest value and rounds it to 8 bits, so a result does not depend on what else is in the batch (Yao et
al., "ZeroQuant", arXiv:2206.01861, section 4.1). Products are summed as integers, and the sums are float32 again.
"""

import warnings
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from typing import Any

import torch
from spacy.util import logger
from torch import Tensor, nn
from torch.nn import functional as F

from .errors import MedflatError

# Without VNNI the kernel sums pairs of products in 16 bits: 2 * 255 * 63 fits, 2 * 255 * 127 would be cut off.
TOP_WEIGHT, TOP_INPUT = 63, 127
# Smaller ones take next to no time and space.
LEAST_WEIGHTS, LEAST_TABLE = 2**14, 2**17
_TINY = 1e-12


class Int8Layer(nn.Module):
    """Rows of 8-bit weights. It predicts, and refuses to be trained.

    weight (int8 [rows, columns]), scale (float32 [rows])
    """

    weight: Tensor
    scale: Tensor

    def __init__(self, rows: int, columns: int):
        super().__init__()
        self.register_buffer("weight", torch.zeros((rows, columns), dtype=torch.int8))
        self.register_buffer("scale", torch.zeros(rows))

    def round_off(self, weight: Tensor) -> None:
        """Take over weights (float [rows, columns])."""
        self.scale = weight.abs().amax(dim=1).clamp_min_(_TINY) / TOP_WEIGHT
        self.weight = (weight / self.scale[:, None]).round_().to(torch.int8)

    def float_weight(self) -> Tensor:
        """The weights as float32 [rows, columns]."""
        return self.weight.float() * self.scale[:, None]

    def _refuse_training(self) -> None:
        if self.training and torch.is_grad_enabled():
            raise MedflatError(
                "this pipeline is compressed, and 8-bit weights cannot be trained: train the one it was made from, and "
                "compress the result"
            )


class Int8Linear(Int8Layer):
    """`nn.Linear` with 8-bit weights."""

    bias: Tensor | None

    def __init__(self, n_in: int, n_out: int, bias: bool):
        super().__init__(n_out, n_in)
        self.register_buffer("bias", torch.zeros(n_out) if bias else None)
        # What multiplies, made at the first call. It is neither saved nor copied.
        self._multiply: Callable[[Tensor], Tensor] | None = None

    def forward(self, x: Tensor) -> Tensor:
        """x (float [..., n_in]) to float32 [..., n_out]"""
        self._refuse_training()
        if self._multiply is None:
            self._multiply = self.with_kernel() if self._has_kernel() else self._without_kernel()
        return self._multiply(x.float()) if x.numel() else x.new_zeros((*x.shape[:-1], len(self.scale)))

    def _has_kernel(self) -> bool:
        if self.weight.device.type == "cpu" and has_int8_kernels():
            return True
        _warn_once()
        return False

    def with_kernel(self) -> Callable[[Tensor], Tensor]:
        """What multiplies integers, whatever the machine.

        RAISES (RuntimeError or AttributeError): this torch, or this CPU, has no such kernel.
        """
        packed, bias = _packed(self.weight, self.scale), self.bias

        def multiply(x: Tensor) -> Tensor:
            # Without a copy of x, as `abs` would make one.
            largest = torch.maximum(x.amax(-1, keepdim=True), -x.amin(-1, keepdim=True)).clamp_min_(_TINY)
            y = torch.ops.quantized.linear_with_input_q_dq_qweight_dq_output_fp32(
                x / largest, 1 / TOP_INPUT, TOP_INPUT + 1, packed
            )
            return y.mul_(largest) if bias is None else torch.addcmul(bias, y, largest)

        return multiply

    def _without_kernel(self) -> Callable[[Tensor], Tensor]:
        weight, bias = self.float_weight(), self.bias
        return lambda x: F.linear(x, weight, bias)

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_multiply": None}


class Int8Embedding(Int8Layer):
    """`nn.Embedding` with 8-bit weights."""

    def forward(self, ids: Tensor) -> Tensor:
        """ids (int64 [...]) to float32 [..., columns]"""
        self._refuse_training()
        return self.weight[ids].float() * self.scale[ids].unsqueeze(-1)


@cache
def has_int8_kernels() -> bool:
    """Whether torch multiplies 8-bit integers on this CPU faster than float32: on x86 with AVX2.

    torch calls its quantized tensors outdated, which hold the weights of these kernels; one that has none is no error.
    """
    if torch.backends.cpu.get_cpu_capability() == "DEFAULT":
        return False
    try:
        layer = int8_of(nn.Linear(8, 8))
        assert isinstance(layer, Int8Linear)
        layer.with_kernel()(torch.zeros(1, 8))
    except (RuntimeError, AttributeError, AssertionError):
        return False
    return True


def compressible(module: nn.Module) -> list[str]:
    """The names of the layers of a module that are worth 8 bits.

    A module that reads the weights of its layers itself says so by an attribute `reads_weights`; its layers are left
    out.
    """
    return [name for name, layer in _layers(module) if _worth_it(layer)]


def int8_names(module: nn.Module) -> list[str]:
    """The names of the layers of a module that have 8-bit weights."""
    return [name for name, layer in module.named_modules() if isinstance(layer, Int8Layer)]


def int8_of(layer: nn.Module, empty: bool = False) -> Int8Layer:
    """A layer with 8-bit weights in the place of another.

    layer (Linear or Embedding): the other.
    empty (bool): leave the weights 0, to be loaded.
    """
    made: Int8Layer
    if isinstance(layer, nn.Embedding):
        made = Int8Embedding(layer.num_embeddings, layer.embedding_dim)
    elif isinstance(layer, nn.Linear):
        made = Int8Linear(layer.in_features, layer.out_features, layer.bias is not None)
        if layer.bias is not None and not empty:
            made.bias = layer.bias.detach().float().clone()
    else:
        raise TypeError(f"neither Linear nor Embedding: {type(layer).__name__}")
    if not empty:
        made.round_off(layer.weight.detach().float())
    return made.train(layer.training)


def replace_layer(module: nn.Module, name: str, layer: nn.Module) -> None:
    """Put a layer in the place of the one with this name."""
    parent, _, leaf = name.rpartition(".")
    setattr(module.get_submodule(parent), leaf, layer)


def make_room(module: nn.Module, names: Iterable[str]) -> None:
    """Put empty 8-bit layers in the place of those with these names, so that saved weights fit.

    RAISES (ValueError): the module has no such layer.
    """
    for name in names:
        try:
            replace_layer(module, name, int8_of(module.get_submodule(name), empty=True))
        except (AttributeError, TypeError) as error:
            raise ValueError(f"an 8-bit layer {name!r} is saved, but there is none ({error})") from error


def _layers(module: nn.Module, prefix: str = "") -> Iterator[tuple[str, nn.Module]]:
    if getattr(module, "reads_weights", False):
        return
    for name, child in module.named_children():
        yield f"{prefix}{name}", child
        yield from _layers(child, f"{prefix}{name}.")


def _worth_it(layer: nn.Module) -> bool:
    least = {nn.Linear: LEAST_WEIGHTS, nn.Embedding: LEAST_TABLE}.get(type(layer))
    return least is not None and layer.weight.numel() >= least  # type: ignore[operator]


def _packed(weight: Tensor, scale: Tensor) -> Any:
    """Weights in the order in which the kernel reads them."""
    zeros = torch.zeros(len(scale), dtype=torch.int64)
    before = torch.backends.quantized.engine
    with warnings.catch_warnings():
        # Of quantized tensors, see `has_int8_kernels`.
        warnings.simplefilter("ignore", UserWarning)
        rows = torch.quantize_per_channel(weight * scale[:, None], scale.double(), zeros, 0, torch.qint8)
    torch.backends.quantized.engine = "fbgemm"
    try:
        return torch.ops.quantized.linear_prepack(rows, None)
    finally:
        torch.backends.quantized.engine = before


@cache
def _warn_once() -> None:
    logger.warning(
        "this pipeline is compressed for x86 CPUs with AVX2, and does not run on one: it computes in float32, and is "
        "no faster than the one it was made from"
    )
