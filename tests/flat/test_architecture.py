from dataclasses import replace

import numpy as np
import pytest
import spacy
from spacy.tokens import SpanGroup
from spacy.training import Example
from spacy.util import fix_random_seed

from spacy_medflat.flat.architecture import create_flat_lattice

from ..pipelines import (
    LISTENER,
    SENTENCES,
    add_head,
    flat_config,
    flat_pipeline,
    lattice_pipeline,
    make_examples,
    spans_of,
    train,
    write_recipe,
)

TEXTS = [text for text, _ in SENTENCES]
LATTICE = ["lattice"]


def flat_of(nlp):
    return nlp.get_pipe("medflat_ner").model.get_ref("tok2vec")


def vectors_of(nlp, texts):
    """What FLAT gives for each text, run together."""
    docs = [nlp.get_pipe("lattice")(nlp.make_doc(text)) for text in texts]
    return flat_of(nlp).predict(docs)


@pytest.fixture
def nlp(tmp_path):
    return flat_pipeline(tmp_path / "lexicon.tsv", word_types=["bod", "dis"])


@pytest.fixture
def trained(nlp):
    train(nlp, 8, annotates=LATTICE)
    return nlp


def test_learns_without_a_transformer(nlp):
    train(nlp, 60, rate=0.01, annotates=LATTICE)
    scores = nlp.evaluate(make_examples(nlp))
    assert scores["spans_sc_f"] > 0.9
    gate = flat_of(nlp).get_ref("flat").shims[0]._model.flat.gate
    assert gate.abs().max() > 0


@pytest.mark.parametrize("factory", ["ner", "spancat"])
def test_spacys_own_components_train_on_it(factory, tmp_path):
    nlp = lattice_pipeline(tmp_path / "lexicon.tsv")
    model = {
        "ner": {
            "@architectures": "spacy.TransitionBasedParser.v2",
            "state_type": "ner",
            "extra_state_tokens": False,
            "hidden_width": 16,
            "maxout_pieces": 2,
            "use_upper": True,
        },
        "spancat": {
            "@architectures": "spacy.SpanCategorizer.v1",
            "reducer": {"@layers": "spacy.mean_max_reducer.v1", "hidden_size": 16},
            "scorer": {"@layers": "spacy.LinearLogistic.v1"},
        },
    }[factory]
    config = {"model": {**model, "tok2vec": flat_config()}}
    if factory == "spancat":
        config["suggester"] = {"@misc": "spacy.ngram_suggester.v1", "sizes": list(range(1, 9))}
    nlp.add_pipe(factory, config=config)
    examples = [
        Example.from_dict(
            nlp.make_doc(text), {"spans": {"sc": spans}, "entities": [] if not spans else [max(spans, key=_width)]}
        )
        for text, spans in SENTENCES
    ]
    # The first text may be empty.
    examples.insert(0, Example(nlp.make_doc(""), nlp.make_doc("")))
    fix_random_seed(0)
    optimizer = nlp.initialize(lambda: examples)
    optimizer.learn_rate = 0.01
    for _ in range(150 if factory == "ner" else 60):
        losses = {}
        nlp.update(examples, sgd=optimizer, losses=losses, annotates=LATTICE)
    scores = nlp.evaluate(examples)
    assert scores["ents_f" if factory == "ner" else "spans_sc_f"] > 0.8


def _width(span):
    return span[1] - span[0]


def test_on_a_shared_transformer(tmp_path):
    nlp = lattice_pipeline(tmp_path / "lexicon.tsv")
    encoder = write_recipe(tmp_path / "encoder")
    model = {"@architectures": "spacy_medflat.CharTransformer.v1", "name": str(encoder), "window": 16, "overlap": 4}
    nlp.add_pipe("transformer", config={"model": model})
    add_head(nlp, flat_config(LISTENER))
    train(nlp, 60, annotates=LATTICE)
    assert nlp.evaluate(make_examples(nlp))["spans_sc_f"] > 0.9
    before = [spans_of(doc) for doc in nlp.pipe(TEXTS)]
    nlp.replace_listeners("transformer", "medflat_ner", ["model.tok2vec.tok2vec"])
    nlp.remove_pipe("transformer")
    nlp.to_disk(tmp_path / "own")
    assert [spans_of(doc) for doc in spacy.load(tmp_path / "own").pipe(TEXTS)] == before


def test_company_and_padding_do_not_matter(trained):
    texts = [*TEXTS, "", "。", "右肺上叶腺癌术后，予阿司匹林口服。" * 5]
    together = vectors_of(trained, texts)
    for text, vectors in zip(texts, together, strict=True):
        np.testing.assert_allclose(vectors_of(trained, [text])[0], vectors, atol=1e-5)


def test_parts_do_not_matter(trained):
    texts = [*TEXTS, "右肺上叶腺癌术后，予阿司匹林口服。" * 5]
    together = vectors_of(trained, texts)
    flat_of(trained).attrs["settings"] = replace(flat_of(trained).attrs["settings"], max_batch_items=1)
    for a, b in zip(vectors_of(trained, texts), together, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-5)


def test_order_of_the_spans_does_not_matter(trained):
    doc = trained.get_pipe("lattice")(trained.make_doc(TEXTS[0]))
    first = flat_of(trained).predict([doc])[0]
    spans = list(doc.spans["lattice"])
    assert len(spans) > 2
    doc.spans["lattice"] = SpanGroup(doc, spans=[*reversed(spans), spans[0]])
    np.testing.assert_array_equal(flat_of(trained).predict([doc])[0], first)


def test_words_matter(trained):
    lattice = trained.get_pipe("lattice")
    before = vectors_of(trained, TEXTS[:1])[0]
    lattice.remove_words(["右肺上叶"])
    assert not np.allclose(vectors_of(trained, TEXTS[:1])[0], before)
    lattice.add_words({"右肺上叶": "bod"})
    np.testing.assert_allclose(vectors_of(trained, TEXTS[:1])[0], before, atol=1e-6)
    lattice.add_words({"右肺上叶": "dis"})
    assert not np.allclose(vectors_of(trained, TEXTS[:1])[0], before)


def test_lexicon_of_a_loaded_pipeline_can_be_swapped(trained, tmp_path):
    trained.to_disk(tmp_path / "model")
    loaded = spacy.load(tmp_path / "model")
    doc = loaded("予阿莫西林口服，右肺上叶")
    assert [span.text for span in doc.spans["lattice"]] == ["右肺上叶", "右肺"]
    loaded.get_pipe("lattice").add_words({"阿莫西林": "dru"})
    loaded.vocab.set_vector("阿莫西林", np.ones(8, dtype="f"))
    doc = loaded("予阿莫西林口服，右肺上叶")
    assert [span.text for span in doc.spans["lattice"]] == ["阿莫西林", "右肺上叶", "右肺"]
    loaded.to_disk(tmp_path / "again")
    again = spacy.load(tmp_path / "again")("予阿莫西林口服，右肺上叶")
    assert spans_of(again, "lattice") == spans_of(doc, "lattice")
    assert spans_of(again) == spans_of(doc)


def test_round_trips(trained, tmp_path):
    before = vectors_of(trained, TEXTS)
    trained.to_disk(tmp_path / "model")
    loaded = spacy.load(tmp_path / "model")
    copied = spacy.blank("zh").from_config(trained.config).from_bytes(trained.to_bytes())
    for nlp in (loaded, copied):
        for a, b in zip(vectors_of(nlp, TEXTS), before, strict=True):
            np.testing.assert_array_equal(a, b)


def test_settings_of_a_loaded_pipeline_follow_the_config(trained, tmp_path):
    trained.to_disk(tmp_path / "model")
    nlp = spacy.load(tmp_path / "model", config={"components.medflat_ner.model.tok2vec.max_batch_items": 7})
    assert flat_of(nlp).attrs["settings"].max_batch_items == 7
    with pytest.raises(ValueError, match="do not fit its settings"):
        spacy.load(tmp_path / "model", config={"components.medflat_ner.model.tok2vec.width": 4})


def test_predictions_between_updates_do_not_spoil_the_next_ones(nlp):
    """Rows are kept in prediction; spaCy predicts for annotating components before it changes the weights."""
    examples = make_examples(nlp)
    optimizer = nlp.initialize(lambda: examples)
    for _ in range(3):
        nlp.update(examples, sgd=False, annotates=["lattice", "medflat_ner"])
        nlp.get_pipe("medflat_ner").finish_update(optimizer)
    after = vectors_of(nlp, TEXTS)
    module = flat_of(nlp).get_ref("flat").shims[0]._model
    for layer in module.flat.layers:
        layer.attention.rows._kept = layer.attention.rows._kept._replace(state=())
    for a, b in zip(vectors_of(nlp, TEXTS), after, strict=True):
        np.testing.assert_array_equal(a, b)


def test_two_processes(trained):
    texts = TEXTS * 4
    alone = [spans_of(doc) for doc in trained.pipe(texts)]
    assert [spans_of(doc) for doc in trained.pipe(texts, n_process=2, batch_size=5)] == alone


def test_same_seed_same_weights(tmp_path):
    weights = []
    for _ in range(2):
        nlp = flat_pipeline(tmp_path / "lexicon.tsv")
        train(nlp, 3, annotates=LATTICE)
        weights.append({k: v.clone() for k, v in flat_of(nlp).get_ref("flat").shims[0]._model.state_dict().items()})
    for name, tensor in weights[0].items():
        assert tensor.equal(weights[1][name]), name


def test_characters_alone_need_neither_words_nor_vectors():
    nlp = spacy.blank("zh")
    add_head(nlp, flat_config(spans_key=None))
    train(nlp, 60, rate=0.01)
    assert nlp.evaluate(make_examples(nlp))["spans_sc_f"] > 0.9


def test_ungated_has_its_own_width(tmp_path):
    nlp = flat_pipeline(tmp_path / "lexicon.tsv", gated=False, width=24)
    train(nlp, 2, annotates=LATTICE)
    assert flat_of(nlp).get_dim("nO") == 24
    assert vectors_of(nlp, TEXTS)[0].shape == (len(TEXTS[0]), 24)


def test_a_text_with_thousands_of_words(trained):
    trained.get_pipe("lattice").add_words({"腺癌术": "", "癌术后": "", "上叶": "bod"})
    flat_of(trained).attrs["settings"] = replace(flat_of(trained).attrs["settings"], max_words=3)
    text = "右肺上叶腺癌术后，" * 800
    doc = trained(text)
    assert len(doc.spans["lattice"]) > 4000
    counts = flat_of(trained).attrs["counts"]
    assert counts.words["crowded out"] > 1000
    assert "crowded out" in str(counts)
    assert np.isfinite(vectors_of(trained, [text])[0]).all()


def test_spans_of_other_tokens_are_an_error(trained):
    doc = trained.get_pipe("lattice")(trained.make_doc(TEXTS[0]))
    with doc.retokenize() as retokenizer:
        retokenizer.merge(doc[0:5])
    with pytest.raises(ValueError, match=r"spans\['lattice'\] has spans that lie outside"):
        flat_of(trained).predict([doc])


def test_texts_without_words(tmp_path):
    nlp = flat_pipeline(tmp_path / "lexicon.tsv", attend="words")
    train(nlp, 3, annotates=LATTICE)
    for vectors in vectors_of(nlp, ["无殊", "。"]):
        assert np.isfinite(vectors).all()


def test_no_vectors_is_an_error(tmp_path):
    nlp = flat_pipeline(tmp_path / "lexicon.tsv", vectors=False)
    with pytest.raises(ValueError, match="needs word vectors"):
        nlp.initialize(lambda: make_examples(nlp))


def test_other_vectors_are_an_error(trained):
    trained.vocab.reset_vectors(width=5)
    trained.vocab.set_vector("右肺", np.ones(5, dtype="f"))
    with pytest.raises(ValueError, match="n_word=10, but the pipeline now gives 7"):
        trained(TEXTS[0])


def test_no_lattice_is_an_error(trained):
    examples = make_examples(trained)
    with pytest.raises(ValueError, match="annotating_components"):
        trained.update(examples, annotates=[])
    trained.remove_pipe("lattice")
    with pytest.raises(ValueError, match="medflat_lattice"):
        trained(TEXTS[0])


def test_counts_are_logged_with_the_first_batch(nlp, caplog):
    with caplog.at_level("INFO", logger="spacy"):
        train(nlp, 3, annotates=LATTICE)
    lines = [record.message for record in caplog.records if record.message.startswith("FLAT, first batch")]
    assert len(lines) == 1
    assert "words a text" in lines[0]


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"window": 8, "overlap": 8}, "window=8"),
        ({"max_words": 0}, "max_words"),
        ({"max_batch_items": 0}, "max_batch_items"),
        ({"width": 10, "n_heads": 4}, "width=10"),
        ({"fusion": "mean"}, "'mean'"),
        ({"missing": "guess"}, "'guess'"),
        ({"attend": "words", "spans_key": None}, "needs words"),
        ({"feed_forward": -1}, "-1"),
    ],
)
def test_settings_out_of_range(wrong, message):
    with pytest.raises(ValueError, match=message):
        create_flat_lattice(None, **wrong)
