"""What spaCy, thinc and spacy-transformers keep private and this project needs, all of it, in one place.

Each function says which private name it uses, why there is no public way, and what would break it. Checked with spaCy
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
# explains a wrong config. spacy.cli exports commands only. They break if spaCy moves or renames them.


def forward_of(node: Model) -> Callable[..., Any]:
    """The function of a layer: `Model._func`.

    `replace_callbacks` sets it, and nothing public reads it. Breaks if thinc keeps it under another name.
    """
    return node._func


def sends_gradients_away(node: Model) -> bool:
    """Whether a layer's gradients go to a remote server: `Model._params`, and its `proxy`.

    The public `Model.set_grad` and `get_grad` do not tell. Breaks if thinc's server for one process gets another class.
    """
    return node._params.proxy is not None


def drop_gradient(node: Model, name: str) -> None:
    """Forget the gradient of a thinc parameter: `Model._params`, `ParamServer._grads`.

    `set_grad` can set one, and nothing public removes one; one of zeros would still make the optimizer move the weight.
    Breaks if thinc keeps gradients elsewhere, or under other keys than id and name.
    """
    node._params._grads.pop((node.id, name), None)


def module_of(shim: Any) -> Any:
    """The torch module in a shim, or None before initialization: `Shim._model`.

    There is no public reader. Breaks if thinc renames it: no module would be found then.
    """
    return getattr(shim, "_model", None)


def set_module(shim: Any, module: Any) -> None:
    """Put a torch module into a shim whose sizes were unknown when it was made: `Shim._model`.

    A shim takes a module in its constructor and by `from_bytes` only. Breaks with `module_of`.
    """
    shim._model = module


def grad_scaler_of(shim: Any) -> Any:
    """The scaler of a torch shim's mixed precision, or None: `PyTorchShim._grad_scaler`.

    There is no public reader. Breaks if thinc renames it: overflows would go unseen then.
    """
    return getattr(shim, "_grad_scaler", None)


def set_overflow(scaler: Any, value: bool) -> None:
    """Set what `PyTorchGradScaler.found_inf` reads: `_found_inf`.

    `update` clears it, but also changes the scale. Breaks if thinc keeps a tensor there.
    """
    scaler._found_inf = value


def scaler_state(scaler: Any) -> dict[str, Any]:
    """What a scaler has learnt, as tensors: `PyTorchGradScaler._scale` and `_growth_tracker`; empty if not `_enabled`.

    thinc saves the scaler's settings only, so a resumed training would begin with the first scale again. Breaks if
    thinc keeps numbers instead of tensors: they would be saved, but not restored in place.
    """
    if not getattr(scaler, "_enabled", False):
        return {}
    return {"scale": scaler._scale, "growth": scaler._growth_tracker}


def optimizer_of(nlp: Language) -> Optimizer:
    """The optimizer that `nlp.update` uses when it is given none, made on first use as there: `Language._optimizer`.

    `resume_training` returns it, but also copies models for `rehearse`. Breaks if spaCy keeps it elsewhere.
    """
    if nlp._optimizer is None:
        nlp._optimizer = nlp.create_optimizer()
    return nlp._optimizer


def encoder_of(shim: Any) -> Any:
    """The tokenizer and transformer of spacy-transformers' shim, an `HFObjects`: `HFShim._hfmodel`.

    `TransformerModel` reads them for its own layout only. Breaks if spacy-transformers renames it.
    """
    return shim._hfmodel


def set_encoder(shim: Any, hf: Any) -> None:
    """Put a loaded encoder into the shim: `HFShim._hfmodel` and `Shim._model`, as its own `from_bytes` does.

    A shim takes an encoder in its constructor and by `from_bytes` only. Breaks with `encoder_of` and `module_of`.
    """
    shim._hfmodel, shim._model = hf, hf.transformer


def encoder_settings(hf: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """Settings that a config gave: `HFObjects._init_tokenizer_config` and `_init_transformer_config`.

    They are kept there until the encoder is loaded, and nothing public reads them. Breaks if they are renamed.
    """
    return hf._init_tokenizer_config, hf._init_transformer_config


def model_from_config(config: Any, **settings: Any) -> Any:
    """A model with random weights, as `AutoModel.from_config` makes it: `PreTrainedModel._from_config`.

    `AutoModel` first imports the config of every architecture that transformers knows, more than 600 modules. Breaks if
    transformers renames the method.
    """
    from transformers import MODEL_MAPPING, AutoModel

    found = MODEL_MAPPING.get(type(config), None)
    # Some architectures have several models, and code from elsewhere is AutoModel's business.
    if not isinstance(found, type) or hasattr(config, "auto_map"):
        return AutoModel.from_config(config, **settings)
    return found._from_config(config, **settings)
