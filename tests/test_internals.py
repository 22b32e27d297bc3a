"""Each private name that the project uses is still what it takes it for."""

import re
from pathlib import Path

import numpy as np
import pytest
import spacy
import torch
from spacy_transformers.data_classes import HFObjects
from spacy_transformers.layers.hf_wrapper import HFWrapper
from thinc.api import Adam, ConfigValidationError, Linear, PyTorchGradScaler, PyTorchWrapper_v3
from transformers import AutoModel, BertConfig, FunnelConfig, FunnelModel, PretrainedConfig

from spacy_medflat import _internals


@pytest.fixture
def torch_model():
    return PyTorchWrapper_v3(torch.nn.Linear(2, 2))


def test_the_function_of_a_layer_can_be_read_and_exchanged():
    layer = Linear(2, 2)
    forward, init = _internals.forward_of(layer), layer.init
    layer.replace_callbacks(lambda model, X, is_train: ("other", None), init=init)
    assert layer.initialize().predict(np.zeros((1, 2), dtype="f")) == "other"
    layer.replace_callbacks(forward, init=init)
    assert layer.predict(np.zeros((1, 2), dtype="f")).shape == (1, 2)


def test_a_parameter_server_is_noticed():
    layer = Linear(2, 2).initialize()
    assert not _internals.sends_gradients_away(layer)
    layer._params.proxy = object()
    assert _internals.sends_gradients_away(layer)


def test_a_gradient_is_dropped():
    layer = Linear(2, 2).initialize()
    layer.set_grad("W", np.ones((2, 2), dtype="f"))
    _internals.drop_gradient(layer, "W")
    _internals.drop_gradient(layer, "W")
    assert not layer.has_grad("W")


def test_the_module_of_a_shim(torch_model):
    (shim,) = torch_model.shims
    assert isinstance(_internals.module_of(shim), torch.nn.Linear)
    other = torch.nn.Linear(2, 3)
    _internals.set_module(shim, other)
    assert _internals.module_of(shim) is other
    assert torch_model.predict(np.zeros((1, 2), dtype="f")).shape == (1, 3)
    assert _internals.module_of(object()) is None


def test_the_scaler_of_a_shim_and_what_it_has_learnt(torch_model):
    scaler = _internals.grad_scaler_of(torch_model.shims[0])
    assert isinstance(scaler, PyTorchGradScaler)
    assert _internals.grad_scaler_of(object()) is None
    assert _internals.scaler_state(scaler) == {}
    assert _internals.scaler_state(None) == {}
    state = _internals.scaler_state(PyTorchGradScaler(enabled=True, init_scale=8.0))
    assert float(state["scale"]) == 8.0 and int(state["growth"]) == 0


def test_overflow_is_set():
    scaler = PyTorchGradScaler(enabled=True)
    _internals.set_overflow(scaler, True)
    assert scaler.found_inf
    _internals.set_overflow(scaler, False)
    assert not scaler.found_inf


def test_the_optimizer_of_a_pipeline_is_the_one_it_updates_with():
    nlp = spacy.blank("zh")
    optimizer = _internals.optimizer_of(nlp)
    assert optimizer is _internals.optimizer_of(nlp)
    given = nlp.initialize(sgd=Adam(0.1))
    assert _internals.optimizer_of(nlp) is given


def test_the_encoder_of_spacy_transformers():
    hf = HFObjects(None, None, None, {"use_fast": True}, {"hidden_size": 4})
    shim = HFWrapper(hf).shims[0]
    assert _internals.encoder_of(shim) is hf
    assert _internals.encoder_settings(hf) == ({"use_fast": True}, {"hidden_size": 4})
    loaded = HFObjects(None, None, torch.nn.Linear(2, 2), {}, {})
    _internals.set_encoder(shim, loaded)
    assert _internals.encoder_of(shim) is loaded
    assert _internals.module_of(shim) is loaded.transformer


@pytest.mark.parametrize("attention", ["eager", "sdpa"])
def test_a_model_is_built_as_transformers_itself_does(attention):
    config = BertConfig(vocab_size=8, hidden_size=8, num_hidden_layers=1, num_attention_heads=2, intermediate_size=8)
    made = []
    for build in (_internals.model_from_config, AutoModel.from_config):
        torch.manual_seed(3)
        made.append(build(config, attn_implementation=attention))
    ours, theirs = made
    assert type(ours) is type(theirs)
    assert ours.config.to_dict() == theirs.config.to_dict()
    assert ours.config._attn_implementation == theirs.config._attn_implementation == attention
    assert all(torch.equal(ours.state_dict()[name], weight) for name, weight in theirs.state_dict().items())


def test_a_config_of_several_models_is_left_to_transformers():
    assert isinstance(
        _internals.model_from_config(FunnelConfig(vocab_size=8, architectures=["FunnelModel"])), FunnelModel
    )
    with pytest.raises(ValueError, match="Unrecognized configuration class"):
        _internals.model_from_config(PretrainedConfig())


def test_what_the_command_line_of_spacy_offers(tmp_path):
    assert _internals.parse_config_overrides(["--training.seed", "3"], env_var=None) == {"training.seed": 3}
    code = tmp_path / "code.py"
    code.write_text("import spacy\n\n@spacy.registry.misc('of_a_test')\ndef made():\n    return 1\n")
    _internals.import_code(code)
    assert spacy.registry.misc.get("of_a_test")() == 1
    with pytest.raises(SystemExit), _internals.show_validation_error():
        raise ConfigValidationError(config={}, errors=[{"loc": ["training"], "msg": "wrong"}])


PRIVATE = re.compile(
    r"(?<!self)\._(func|params|grads|model|grad_scaler|found_inf|scale|growth_tracker|enabled|optimizer|hfmodel)\b"
    r"|_set_attr_or_schedule|\._from_config|_init_t\w+_config"
    r"|from [\w.]+\._(?!internals)\w+ import|import _(?!internals|_version__)\w"
)


def test_no_other_module_touches_them():
    root = Path(_internals.__file__).parent
    files = [*root.rglob("*.py"), *(root.parent / "bench").glob("*.py")]
    found = [path.name for path in files if PRIVATE.search(path.read_text(encoding="utf-8"))]
    assert found == ["_internals.py"]
