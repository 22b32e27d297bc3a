"""A thinc layer around a torch module whose sizes are known only at initialization, and its precision."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any, cast

import srsly
import torch
from safetensors.torch import load as load_tensors
from safetensors.torch import save as save_tensors
from thinc.api import Model, PyTorchGradScaler, PyTorchWrapper_v3, get_torch_default_device
from torch import nn

from ._internals import module_of, set_module
from .int8 import int8_names, make_room

MakeModule = Callable[..., nn.Module]


@dataclass(frozen=True)
class CpuAutocast:
    """Runs torch layers in bfloat16 where thinc's mixed precision, which is for a GPU, does nothing.

    Weights, their gradients and the optimizer stay float32, and so does all that autocast leaves alone; bfloat16 has
    the range of float32, so gradients need no scaling. It pays on a CPU that multiplies bfloat16 itself and faster
    (`runtime.bfloat16_pays`); on others it is slower than float32.

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


def torch_layer(
    name: str,
    make_module: MakeModule,
    sizes: Sequence[str],
    convert_inputs: Callable[..., Any] | None = None,
    mixed_precision: bool = False,
    grad_scaler_config: dict[str, Any] | None = None,
    **settings: Any,
) -> Model:
    """Wrap `make_module(**sizes, **settings)`, which is called at initialization.

    The weights are stored as safetensors. Each size is an attribute of the layer (int, None until it is known).

    name (str): of the layer.
    make_module (callable): makes the torch module.
    sizes (sequence of str): names of the sizes. `n_in`, the width of a token's vector, is read off the data;
        `set_size` sets others.
    convert_inputs (callable or None): as in thinc's PyTorchWrapper; by default an array goes in.
    mixed_precision (bool), grad_scaler_config (dict): as in thinc's PyTorchWrapper; they must be for a GPU.
    settings: the other arguments of `make_module`.
    RETURNS (Model): the layer.
    """
    codec = _Codec(name, make_module, settings)
    layer: Model = PyTorchWrapper_v3(
        cast(nn.Module, None),
        convert_inputs=convert_inputs,
        serialize_model=codec.dumps,
        deserialize_model=codec.loads,
        mixed_precision=mixed_precision,
        grad_scaler=PyTorchGradScaler(**{"enabled": mixed_precision, **(grad_scaler_config or {})}),
    )
    layer.name = name
    layer.init = _init
    layer.attrs["make_module"] = codec.make
    layer.attrs["sizes"] = list(sizes)
    for size in sizes:
        layer.attrs[size] = None
    return layer


def set_size(layer: Model, name: str, value: int) -> None:
    """Set a size before initialization.

    layer (Model): made by `torch_layer`.
    name (str): of the size.
    value (int): the size.
    RAISES (ValueError): the module is made already, with another size.
    """
    known = layer.attrs[name]
    if module_of(layer.shims[0]) is not None and known != value:
        raise ValueError(
            f"the layer {layer.name!r} is made for {name}={known}, but the pipeline now gives {value}: use the encoder "
            "and the vectors it was trained with, or initialize the component anew"
        )
    layer.attrs[name] = value


def _init(model: Model, X: Any = None, Y: Any = None) -> None:
    if X is not None:
        model.attrs["n_in"] = X.shape[-1]
    module = model.attrs["make_module"]({size: model.attrs[size] for size in model.attrs["sizes"]})
    set_module(model.shims[0], module.to(get_torch_default_device()))


class _Codec:
    """Writes a module as its sizes and tensors, and builds it again from them. Picklable, for worker processes."""

    def __init__(self, name: str, make_module: MakeModule, settings: dict[str, Any]):
        self.name, self.make_module, self.settings = name, make_module, settings

    def make(self, sizes: dict[str, int]) -> nn.Module:
        module = self.make_module(**sizes, **self.settings)
        module._medflat_sizes = sizes  # type: ignore[assignment]
        return module

    def dumps(self, module: nn.Module | None) -> bytes:
        if module is None:
            return b""
        tensors = {name: tensor.contiguous() for name, tensor in module.state_dict().items()}
        message: dict[str, Any] = {"sizes": module._medflat_sizes, "tensors": save_tensors(tensors)}
        if names := int8_names(module):
            message["int8"] = names
        return srsly.msgpack_dumps(message)

    def loads(self, module: nn.Module | None, data: bytes, device: Any) -> nn.Module | None:
        if not data:
            return module
        message = srsly.msgpack_loads(data)
        loaded = self.make(message["sizes"])
        try:
            make_room(loaded, message.get("int8", ()))
            loaded.load_state_dict(load_tensors(message["tensors"]))
        except (RuntimeError, ValueError) as error:
            raise ValueError(
                f"the saved weights of the layer {self.name!r} do not fit its settings: load the pipeline with the "
                f"config it was saved with ({error})"
            ) from error
        return loaded.to(device)
