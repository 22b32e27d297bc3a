import numpy as np
import pytest
import spacy
import torch
from thinc.api import Linear, Model, PyTorchWrapper, chain, list2ragged, reduce_mean, with_array
from thinc.layers import Embed

from spacy_medflat.training.adversarial.attacks import FGM
from spacy_medflat.training.adversarial.targets import choose, choose_targets, find_targets

from ...pipelines import transformer_pipeline, write_recipe
from ..victims import attack_it, attacked_gradients, equal, gold, models, plain_gradients, victim


@pytest.fixture(scope="module")
def encoder(tmp_path_factory):
    return write_recipe(tmp_path_factory.mktemp("encoder"))


def names(targets):
    return [target.name for target in targets]


def test_a_bert_has_one_word_embedding(encoder):
    nlp = victim("medflat_ner", encoder)
    found = find_targets("transformer", models(nlp)[0])
    assert "transformer.embeddings.position_embeddings" in names(found)
    assert names(choose(found, None)) == ["transformer.embeddings.word_embeddings"]
    assert find_targets("medflat_ner", models(nlp)[1]) == []


def test_layers_of_thinc_are_counted():
    nlp = victim("ner")
    found = find_targets("ner", models(nlp)[0])
    assert names(found) == ["ner.hashembed", "ner.hashembed#2", "ner.hashembed#3", "ner.hashembed#4"]
    assert choose(found, None) == found


@pytest.mark.parametrize(
    ("wanted", "chosen"),
    [
        (["ner.hashembed"], [0]),
        (["hashembed#3"], [2]),
        (["ner.hash*", "hashembed#2"], [0, 1, 2, 3]),
        (["hashembed#?"], [1, 2, 3]),
    ],
)
def test_names_and_patterns(wanted, chosen):
    found = find_targets("ner", models(victim("ner"))[0])
    assert choose(found, wanted) == [found[i] for i in chosen]


@pytest.mark.parametrize("name", ["emb.", "embed", "hashembed#5", "HASHEMBED", ""])
def test_an_unknown_name_is_an_error_that_lists_the_candidates(name):
    nlp = victim("ner")
    with pytest.raises(
        ValueError, match=r"ner\.hashembed, ner\.hashembed#2, ner\.hashembed#3, ner\.hashembed#4"
    ) as error:
        attack_it(nlp, names=[name])
    assert repr(name) in str(error.value)
    assert "update" not in nlp.__dict__


def test_no_names_is_an_error():
    with pytest.raises(ValueError, match="names is empty"):
        attack_it(victim("ner"), names=[])


def test_bad_components_are_errors_that_list_the_candidates(encoder):
    nlp = victim("medflat_ner", encoder)
    nlp.add_pipe("sentencizer")
    for name, message in (
        ("tagger", "'tagger' cannot be attacked: it is absent"),
        ("sentencizer", "'sentencizer' cannot be attacked"),
        ("medflat_ner", "'medflat_ner' has no embedding layer of its own"),
    ):
        with pytest.raises(ValueError, match=rf"{message}.*transformer\.embeddings\.word_embeddings"):
            attack_it(nlp, components=[name])


def test_a_frozen_component_is_an_error(encoder):
    nlp = victim("medflat_ner", encoder)
    attack_it(nlp, components=["transformer"])
    with pytest.raises(ValueError, match="'transformer' cannot be attacked: it is absent, frozen"):
        nlp.update(gold(nlp), sgd=False, exclude=["transformer"], annotates=["transformer"])
    nlp.config["training"]["frozen_components"] = ["transformer"]
    with pytest.raises(ValueError, match="no trained component has an embedding layer"):
        attack_it(nlp)


def test_a_pipeline_without_embeddings_is_an_error():
    nlp = spacy.blank("zh")
    with pytest.raises(ValueError, match="no word embedding"):
        attack_it(nlp)


def test_an_encoder_that_is_not_loaded_has_no_layers(encoder):
    nlp = transformer_pipeline(encoder)
    assert find_targets("transformer", models(nlp)[0]) == []


class Tables(torch.nn.Module):
    """Several tables, one of them twice."""

    def __init__(self):
        super().__init__()
        self.wpe = torch.nn.Embedding(3, 4)
        self.wte = torch.nn.Embedding(3, 4)
        self.position_table = torch.nn.Embedding(3, 4)
        self.tied = self.wte
        self.kinds = torch.nn.Embedding(3, 4)
        self.wte.weight.requires_grad_(False)


def test_tables_of_places_are_left_out():
    model = PyTorchWrapper(Tables())
    assert names(choose(find_targets("c", model), None)) == ["c.wte", "c.kinds"]
    both = chain(model, PyTorchWrapper(torch.nn.Embedding(3, 4)), PyTorchWrapper(model.shims[0]._model))
    assert names(choose(find_targets("c", both), None)) == ["c.wte", "c.kinds", "c"]


class Pipe:
    def __init__(self, model):
        self.model, self.is_trainable = model, True


def test_fixed_weights_cannot_be_attacked_but_their_output_can():
    pipes = [("c", Pipe(PyTorchWrapper(Tables())))]
    assert names(choose_targets(pipes, names=["wte"])) == ["c.wte"]
    with pytest.raises(ValueError, match=r"'c\.wte' are fixed"):
        choose_targets(pipes, names=["wte"], trained_weights=True)


@pytest.mark.parametrize("requires_grad", [True, False])
def test_the_output_of_a_fixed_table_is_attacked(encoder, requires_grad):
    nlp = victim("medflat_ner", encoder)
    layer = find_targets("transformer", models(nlp)[0])[0].layer
    layer.weight.requires_grad_(requires_grad)
    clean = plain_gradients(nlp, gold(nlp))
    attack_it(nlp, FGM(0.0))
    both, _ = attacked_gradients(nlp, gold(nlp))
    assert nlp.update.stats.attacked == 1
    assert ((0, 1, "embeddings.word_embeddings.weight") in both) == requires_grad
    equal(both, {key: 2 * value for key, value in clean.items()})


def test_thincs_plain_embedding_is_found_and_attacked():
    def orths(model, docs, is_train):
        return [model.ops.asarray1i([token.orth % 50 for token in doc]) for doc in docs], lambda d: []

    nlp = victim("textcat")
    pipe = nlp.get_pipe("textcat")
    embed = chain(Model("orths", orths), list2ragged(), with_array(Embed(8, 50)), reduce_mean(), Linear(2, 8))
    embed.initialize()
    embed.layers[-1].set_param("W", np.random.default_rng(0).standard_normal((2, 8)).astype("f"))
    pipe.model = embed
    attack_it(nlp)
    _, losses = attacked_gradients(nlp, gold(nlp))
    assert names(find_targets("textcat", embed)) == ["textcat.embed"]
    assert losses["textcat_adversarial"] > losses["textcat"]
