import pytest
import torch

from spacy_medflat.encoder.recipe import (
    Recipe,
    SavedEncoderModel,
    build_encoder,
    charset_tokens,
    read_recipe,
    recipe_characters,
)

from ..pipelines import write_recipe


def test_a_folder_without_a_recipe_has_none(tmp_path):
    assert read_recipe(tmp_path) is None


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"hiden_size": 8}, "hiden_size"),
        ({"hidden_size": 0}, "found 0"),
        ({"charset": "klingon"}, "klingon"),
        ({"hidden_size": 30, "num_attention_heads": 4}, "must be a multiple"),
    ],
)
def test_a_wrong_recipe_is_named_with_its_value(tmp_path, settings, message):
    with pytest.raises(ValueError, match=message):
        read_recipe(write_recipe(tmp_path, **settings))


def test_the_charset_holds_what_clinical_text_is_written_in():
    tokens = charset_tokens()
    assert len(tokens) == len(set(tokens))
    assert set("右肺上叶腺癌ⅡⅢα℃，。（）％１Ａ1A/-^".lower()) <= set(tokens)


def test_the_same_seed_builds_the_same_weights():
    weights = []
    for _ in range(2):
        torch.manual_seed(3)
        weights.append(build_encoder(Recipe(hidden_size=8, intermediate_size=8, num_attention_heads=2))[1].state_dict())
    assert all(torch.equal(weights[0][name], weights[1][name]) for name in weights[0])


def test_an_encoder_to_be_loaded_draws_no_weights_and_has_all_else():
    torch.manual_seed(3)
    drawn = build_encoder(Recipe(hidden_size=8, intermediate_size=8, num_attention_heads=2))[1].eval()
    state = torch.get_rng_state()
    loaded = SavedEncoderModel.from_config(drawn.config).eval()
    assert torch.equal(torch.get_rng_state(), state)
    loaded.load_state_dict(drawn.state_dict())
    ids = torch.tensor([[2, 9, 30, 3]])
    assert torch.equal(loaded(ids).last_hidden_state, drawn(ids).last_hidden_state)


def test_characters_of_a_file(tmp_path):
    recipe = Recipe(charset="vocab.txt")
    with pytest.raises(ValueError, match=r"vocab.txt: no such file, but the charset"):
        recipe_characters(recipe, tmp_path)
    path = tmp_path / "vocab.txt"
    path.write_text("\ufeff[PAD]\n[MASK]\n咳\n嗽\n\n咳\n", encoding="utf8")
    assert recipe_characters(recipe, tmp_path) == ["咳", "嗽"]
    for content, message in (("[UNK]\n", "no characters"), ("咳\n咳嗽\n", "'咳嗽' is not one character")):
        path.write_text(content, encoding="utf8")
        with pytest.raises(ValueError, match=message):
            recipe_characters(recipe, tmp_path)
    assert recipe_characters(Recipe(), tmp_path) == charset_tokens()
    tokenizer, encoder = build_encoder(recipe, ["咳", "嗽"])
    assert tokenizer.get_vocab()["嗽"] == 6 and encoder.config.vocab_size == 7
