import time

import pytest
import torch
from transformers import AutoModel

from spacy_medflat._internals import encoder_of
from spacy_medflat.encoder import load
from spacy_medflat.encoder.load import load_encoder
from spacy_medflat.encoder.recipe import Recipe, build_encoder

from ..pipelines import cnn_pipeline, make_examples, transformer_pipeline, write_recipe


@pytest.fixture
def saved_encoder(tmp_path):
    tokenizer, model = build_encoder(Recipe(hidden_size=16, intermediate_size=16, num_attention_heads=2))
    tokenizer.save_pretrained(tmp_path)
    model.save_pretrained(tmp_path)
    return tmp_path


def test_a_folder_with_weights(saved_encoder):
    hf = load_encoder(str(saved_encoder), {}, {})
    assert hf.transformer.config.hidden_size == 16
    assert "肺" in hf.tokenizer.get_vocab()


def test_weights_of_half_precision_are_read_in_full_and_with_the_attention_that_their_positions_need(saved_encoder):
    AutoModel.from_pretrained(saved_encoder).half().save_pretrained(saved_encoder)
    encoder = load_encoder(str(saved_encoder), {}, {}).transformer
    assert encoder.dtype == torch.float32
    assert encoder.config.position_embedding_type == "relative_key" and encoder.config._attn_implementation == "eager"


def test_settings_override_the_encoders_own(saved_encoder):
    hf = load_encoder(str(saved_encoder), {}, {"hidden_dropout_prob": 0.4})
    assert hf.transformer.config.hidden_dropout_prob == 0.4


def test_a_folder_with_only_tokenizer_json(saved_encoder):
    (saved_encoder / "vocab.txt").unlink()
    assert "肺" in load_encoder(str(saved_encoder), {}, {}).tokenizer.get_vocab()


def test_a_folder_with_a_recipe(tmp_path):
    assert load_encoder(str(write_recipe(tmp_path)), {}, {}).transformer.config.hidden_size == 32


def test_a_folder_without_weights(saved_encoder):
    (saved_encoder / "model.safetensors").unlink()
    with pytest.raises(ValueError, match=r"has no weights: none of model\.safetensors"):
        load_encoder(str(saved_encoder), {}, {})


def test_an_empty_folder(tmp_path):
    with pytest.raises(ValueError, match=r"neither config\.json"):
        load_encoder(str(tmp_path), {}, {})


def test_a_name_that_cannot_be_found(monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(ValueError, match="cannot load the encoder 'no-such-org/no-such-encoder'"):
        load_encoder("no-such-org/no-such-encoder", {}, {})


def test_damaged_weights(saved_encoder):
    (saved_encoder / "model.safetensors").write_bytes(b"not weights")
    with pytest.raises(ValueError, match="cannot load the encoder"):
        load_encoder(str(saved_encoder), {}, {})


def test_without_a_network_the_answer_comes_at_once(monkeypatch):
    monkeypatch.setattr(load, "HUB_SECONDS", 0.2)
    monkeypatch.setattr("huggingface_hub.HfApi.model_info", lambda *_, **__: time.sleep(60))
    begin = time.perf_counter()
    with pytest.raises(ValueError, match="'no-such-org/no-such-encoder': the hub does not answer") as caught:
        load_encoder("no-such-org/no-such-encoder", {}, {})
    assert time.perf_counter() - begin < 20 and "\n" not in str(caught.value)


def test_an_encoder_of_another_pipeline(tmp_path):
    nlp = transformer_pipeline(write_recipe(tmp_path / "encoder"))
    nlp.initialize(lambda: make_examples(nlp))
    nlp.to_disk(tmp_path / "pipeline")
    hf = load_encoder(str(tmp_path / "pipeline"), {}, {})
    (own,) = (layer for layer in nlp.get_pipe("transformer").model.walk() if layer.name == "char_transformer")
    for name, weight in encoder_of(own.layers[0].shims[0]).transformer.state_dict().items():
        assert torch.equal(weight, hf.transformer.state_dict()[name])
    cnn_pipeline().to_disk(tmp_path / "without")
    with pytest.raises(ValueError, match="has no encoder"):
        load_encoder(str(tmp_path / "without"), {}, {})
