"""What spaCy, thinc and spacy-transformers keep private and this project needs, all of it, in one place.

Each function says which private name it uses, why there is no public one, and what would break it. Checked with spaCy
3.8, thinc 8.3 and spacy-transformers 1.3 and 1.4; `tests/test_internals.py` fails when one of them changes.
"""

from collections.abc import Callable
from typing import Any

from spacy.cli._util import import_code as import_code
from spacy.cli._util import parse_config_overrides as parse_config_overrides
from spacy.cli._util import show_validation_error as show_validation_error
from spacy.language import Language
from thinc.api import Model, Optimizer

# The three names above are what `spacy train` itself calls: `--code`, `--section.setting value`, and the table that
# explains a wrong config. spacy.cli exports only commands. They would break by being moved or renamed.


def forward_of(node: Model) -> Callable[..., Any]:
    """The function of a layer: `Model._func`. `replace_callbacks` sets it, and nothing public reads it."""
    return node._func


def sends_gradients_away(node: Model) -> bool:
    """Whether a layer's parameters live with a remote server: `Model._params.proxy`, which only its setter exposes."""
    return node._params.proxy is not None


def drop_gradient(node: Model, name: str) -> None:
    """Forget the gradient of a thinc parameter: `ParamServer._grads`. `set_grad` can set one, nothing removes one."""
    node._params._grads.pop((node.id, name), None)


def module_of(shim: Any) -> Any:
    """The torch module in a shim, or None before initialization: `PyTorchShim._model`. There is no public reader."""
    return getattr(shim, "_model", None)


def set_module(shim: Any, module: Any) -> None:
    """Put a torch module into a shim whose sizes were unknown when it was made: `PyTorchShim._model`."""
    shim._model = module


def grad_scaler_of(shim: Any) -> Any:
    """The scaler of a torch shim's mixed precision: `PyTorchShim._grad_scaler`; None if it has none."""
    return getattr(shim, "_grad_scaler", None)


def found_overflow(scaler: Any) -> bool:
    """Whether a gradient overflowed since the last step: `PyTorchGradScaler._found_inf`.

    Its public form forgets the answer with `update`, which must wait until all passes of a step are done.
    """
    return bool(scaler._found_inf)


def set_overflow(scaler: Any, value: bool) -> None:
    """Set what `found_overflow` reads."""
    scaler._found_inf = value


def scaler_state(scaler: Any) -> dict[str, Any]:
    """What a scaler has learnt, as tensors: `_scale` and `_growth_tracker`, empty if it is off (`_enabled`).

    thinc saves the scaler's settings only, so a resumed training would begin with the first scale again.
    """
    if not getattr(scaler, "_enabled", False):
        return {}
    return {"scale": scaler._scale, "growth": scaler._growth_tracker}


def optimizer_of(nlp: Language) -> Optimizer:
    """The optimizer that `nlp.update` uses when it is given none: `Language._optimizer`, made on first use as there."""
    if nlp._optimizer is None:
        nlp._optimizer = nlp.create_optimizer()
    return nlp._optimizer


def encoder_of(shim: Any) -> Any:
    """The tokenizer and transformer of spacy-transformers' shim: `HFShim._hfmodel`, an `HFObjects`."""
    return shim._hfmodel


def set_encoder(shim: Any, hf: Any) -> None:
    """Put a loaded encoder into the shim: `HFShim._hfmodel` and `PyTorchShim._model`, as its own `from_bytes` does."""
    shim._hfmodel, shim._model = hf, hf.transformer


def encoder_settings(hf: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """Settings of tokenizer and transformer that a config gave: `HFObjects._init_tokenizer_config` and its sister."""
    return hf._init_tokenizer_config, hf._init_transformer_config
