import pytest
import torch

from spacy_medflat.encoder.load import load_encoder
from spacy_medflat.encoder.pieces import PROBE
from spacy_medflat.encoder.pretraining.encoder_source import find_recipe, load_masked_lm
from spacy_medflat.encoder.pretraining.run_options import Watcher
from spacy_medflat.errors import EncoderError

from ...pipelines import ASSETS, make_examples, transformer_pipeline
from .corpora import small_recipe, small_settings


def load(settings, characters=None, new=True):
    said = []
    found = load_masked_lm(settings, find_recipe(settings), characters, Watcher(say=said.append, warn=said.append), new)
    return *found, said


def test_a_recipe_is_the_same_for_the_same_seed(tmp_path):
    recipe = small_recipe(tmp_path)
    first, again, other = (load(small_settings(recipe, seed=seed))[1].state_dict() for seed in (1, 1, 2))
    assert all(torch.equal(tensor, again[name]) for name, tensor in first.items())
    assert not all(torch.equal(tensor, other[name]) for name, tensor in first.items())


def test_a_vocabulary_of_characters_and_positions_that_stay_untrained(tmp_path):
    tokenizer, model, said = load(small_settings(small_recipe(tmp_path), length=70), [*PROBE, "甲"])
    assert "甲" in tokenizer.get_vocab() and model.encoder.config.vocab_size == len(tokenizer) == 5 + len(PROBE) + 1
    assert any("positions from 70 to 79 stay untrained" in line for line in said)
    assert not load(small_settings(small_recipe(tmp_path), length=80))[2]


def test_vectors_are_the_first_embeddings_of_a_new_run_only(tmp_path):
    recipe = small_recipe(tmp_path)
    settings = small_settings(recipe, length=80, vectors=str(ASSETS / "vectors.txt.gz"))
    plain = load(small_settings(recipe, length=80))[1].encoder.embeddings.word_embeddings.weight
    _, model, said = load(settings)
    changed = (model.encoder.embeddings.word_embeddings.weight != plain).any(1)
    assert 10 < changed.sum() < len(changed) and "begin with the vectors" in said[0]
    assert torch.equal(load(settings, new=False)[1].encoder.embeddings.word_embeddings.weight, plain)


def test_the_encoder_of_a_pipeline(tmp_path):
    nlp = transformer_pipeline(small_recipe(tmp_path / "recipe"))
    nlp.initialize(lambda: make_examples(nlp))
    nlp.to_disk(tmp_path / "pipeline")
    _, model, said = load(small_settings(tmp_path / "pipeline"))
    weights = load_encoder(str(tmp_path / "pipeline"), {}, {}).transformer.state_dict()
    assert all(torch.equal(tensor, weights[name]) for name, tensor in model.encoder.state_dict().items())
    assert "a new one is trained with it" in said[0]


@pytest.mark.parametrize("option", ["vocabulary", "vectors"])
def test_options_for_a_new_encoder(tmp_path, option):
    with pytest.raises(EncoderError, match=f"--{option} is for a new encoder"):
        find_recipe(small_settings(tmp_path, **{option: 9 if option == "vocabulary" else "v"}))


def test_encoders_that_cannot_be_trained(tmp_path):
    recipe = small_recipe(tmp_path)
    with pytest.raises(EncoderError, match=r"--length 81 is too long .* 80 positions"):
        load(small_settings(recipe, length=81))
    with pytest.raises(EncoderError, match="does not know 100% of the commonest Chinese characters"):
        load(small_settings(recipe), [*"abc"])
