import pytest
import torch
from transformers import (
    AlbertConfig,
    AutoModel,
    AutoModelForMaskedLM,
    BertConfig,
    ElectraConfig,
    ErnieConfig,
    GPT2Config,
    RobertaConfig,
)

from spacy_medflat.encoder.pretraining.masked_lm import with_head
from spacy_medflat.errors import EncoderError

SIZES = {"vocab_size": 50, "hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 16}
IDS = torch.randint(5, 50, (2, 9), generator=torch.Generator().manual_seed(0))
PLACES = torch.tensor([1, 4, 10, 17])
FAMILIES = [
    BertConfig(**SIZES),
    BertConfig(**SIZES, position_embedding_type="relative_key"),
    ErnieConfig(**SIZES),
    RobertaConfig(**SIZES),
    ElectraConfig(**SIZES, embedding_size=8),
    AlbertConfig(**SIZES, embedding_size=8),
]


@pytest.mark.parametrize("config", FAMILIES, ids=lambda config: f"{config.model_type}-{config.position_embedding_type}")
def test_a_new_head_on_any_of_the_family(config, tmp_path):
    encoder = AutoModel.from_config(config, attn_implementation="eager").eval()
    encoder.save_pretrained(tmp_path)
    model, read = with_head(encoder, str(tmp_path))
    assert not read and model.encoder is encoder
    scores = model.eval()(IDS, None, PLACES)
    whole = model.model(IDS).logits.flatten(0, 1)[PLACES]
    assert torch.allclose(scores, whole, atol=1e-6) and scores.shape == (4, 50)
    assert model.model.get_output_embeddings().weight is encoder.get_input_embeddings().weight


@pytest.mark.parametrize("config", FAMILIES, ids=lambda config: f"{config.model_type}-{config.position_embedding_type}")
def test_the_head_beside_an_encoder_is_read(config, tmp_path):
    saved = AutoModelForMaskedLM.from_config(config, attn_implementation="eager").eval()
    saved.save_pretrained(tmp_path)
    encoder = AutoModel.from_pretrained(tmp_path, attn_implementation="eager")
    model, read = with_head(encoder, str(tmp_path))
    assert read
    assert torch.allclose(model.eval()(IDS, None, PLACES), saved(IDS).logits.flatten(0, 1)[PLACES], atol=1e-6)


def test_an_encoder_that_has_no_such_head(tmp_path):
    encoder = AutoModel.from_config(GPT2Config(n_embd=8, n_layer=1, n_head=1, vocab_size=9))
    with pytest.raises(EncoderError, match="'gpt2': use one of the BERT family"):
        with_head(encoder, str(tmp_path))


def test_dropout_is_that_of_the_training_alone(tmp_path):
    encoder = AutoModel.from_config(BertConfig(**SIZES, hidden_dropout_prob=0.3, attention_probs_dropout_prob=0.3))
    encoder.save_pretrained(tmp_path)
    model, _ = with_head(encoder, str(tmp_path))
    model.train()
    assert not torch.equal(model(IDS, None, PLACES), model(IDS, None, PLACES))
    model.set_dropout(0.0)
    assert torch.equal(model(IDS, None, PLACES), model(IDS, None, PLACES))
    assert model.model.config.hidden_dropout_prob == 0.3
