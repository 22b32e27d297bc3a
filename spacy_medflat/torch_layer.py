"""A thinc layer around a torch module whose sizes are known only at initialization."""

from collections.abc import Callable
from typing import Any, cast

import srsly
from safetensors.torch import load as load_tensors
from safetensors.torch import save as save_tensors
from thinc.api import Model, PyTorchWrapper_v3, get_torch_default_device
from thinc.types import Floats2d
from torch import nn

MakeModule = Callable[..., nn.Module]


def torch_layer(name: str, make_module: MakeModule, **settings: Any) -> Model[Floats2d, Floats2d]:
    """Wrap `make_module(n_in, n_labels, **settings)`, which is called at initialization.

    dims: nI, the width of a token's vector.
    attrs: n_labels (int), to be set before initialization.
    The weights are stored as safetensors.
    """
    codec = _Codec(make_module, settings)
    layer: Model[Floats2d, Floats2d] = PyTorchWrapper_v3(
        cast(nn.Module, None), serialize_model=codec.dumps, deserialize_model=codec.loads
    )
    layer.name = name
    layer.init = _init
    layer.attrs["make_module"] = codec.make
    layer.attrs["n_labels"] = None
    return layer


def _init(model: Model[Floats2d, Floats2d], X: Any = None, Y: Any = None) -> None:
    if X is not None:
        width = X.shape[-1]
        if model.has_dim("nI") and model.get_dim("nI") != width:
            raise ValueError(
                f"the layer {model.name!r} is made for vectors of {model.get_dim('nI')} values, but the tok2vec before "
                f"it gives {width}: use the encoder it was trained with, or initialize the component anew"
            )
        model.set_dim("nI", width)
    shim = model.shims[0]
    if shim._model is None:
        module = model.attrs["make_module"](model.get_dim("nI"), model.attrs["n_labels"])
        shim._model = module.to(get_torch_default_device())


class _Codec:
    """Writes a module as its sizes and tensors, and builds it again from them. Picklable, for worker processes."""

    def __init__(self, make_module: MakeModule, settings: dict[str, Any]):
        self.make_module, self.settings = make_module, settings
        self.sizes: tuple[int, int] | None = None

    def make(self, n_in: int, n_labels: int) -> nn.Module:
        self.sizes = (n_in, n_labels)
        return self.make_module(n_in, n_labels, **self.settings)

    def dumps(self, module: nn.Module | None) -> bytes:
        if module is None:
            return b""
        tensors = {name: tensor.contiguous() for name, tensor in module.state_dict().items()}
        return srsly.msgpack_dumps({"sizes": self.sizes, "tensors": save_tensors(tensors)})

    def loads(self, module: nn.Module | None, data: bytes, device: Any) -> nn.Module | None:
        if not data:
            return module
        message = srsly.msgpack_loads(data)
        loaded = self.make(*message["sizes"])
        loaded.load_state_dict(load_tensors(message["tensors"]))
        return loaded.to(device)
