import gc
import logging
import warnings
import weakref

import numpy as np
import pytest
import spacy
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from spacy.language import Language
from spacy.tests.pipeline import test_spancat as reference
from spacy.tokens import Doc, DocBin, Span, SpanGroup
from spacy.training import Example
from spacy.util import fix_random_seed

from spacy_medflat.ner.component import NestedEntityRecognizer
from spacy_medflat.ner.pointer_head import PointerHead
from spacy_medflat.ner.spans import Candidates, logit
from spacy_medflat.partial_annotation import set_weight, unknown_key
from spacy_medflat.torch_layer import set_size

from ..pipelines import KEY, SENTENCES, cnn_pipeline, make_examples, spans_of, train, transformer_pipeline, write_recipe

HEADS = ["spacy_medflat.EfficientGlobalPointer.v1", "spacy_medflat.GlobalPointer.v1"]
LINEAR = "spacy_medflat.LinearNested.v1"
NLP = spacy.blank("zh")
TEXTS = ["右肺上叶腺癌术后", "", "患者贫血，右肺上叶结节", " ", "予阿司匹林", "双下肢\n水肿，CINⅡ-Ⅲ级"]


def cnn(width=8, depth=1, embed_size=10):
    sizes = {"width": width, "depth": depth, "embed_size": embed_size, "window_size": 1, "maxout_pieces": 3}
    return {"@architectures": "spacy.HashEmbedCNN.v2", **sizes, "subword_features": True, "pretrained_vectors": None}


def linear(**sizes):
    """Tag sequences that hold all gold of the sentences."""
    groups = [["bod"], ["dis"], ["sym"]]
    return {"@architectures": LINEAR, "groups": groups, "dropout": 0.0, "tok2vec": cnn(**sizes)}


def gold(text):
    return [s for t, spans in SENTENCES if t == text for s in sorted(spans, key=lambda s: (s[0], -s[1]))]


@pytest.fixture(scope="module", params=["pointer", "tags"])
def trained(request):
    config = {} if request.param == "pointer" else {"model": linear(width=96, depth=4, embed_size=2000)}
    nlp = cnn_pipeline(**config)
    losses = train(nlp, 120)
    assert losses["medflat_ner"] < 0.1
    return nlp


# What spaCy asks of its own span categorizer, run on ours.


def test_no_label():
    reference.test_no_label("medflat_ner")


def test_implicit_labels():
    reference.test_implicit_labels("medflat_ner")


def test_explicit_labels():
    reference.test_explicit_labels("medflat_ner")


@pytest.mark.parametrize("n_process", [1, 2])
def test_multiprocessing(n_process):
    reference.test_spancat_multiprocessing("medflat_ner", n_process)


@pytest.mark.parametrize("config", [{}, {"model": linear()}])
def test_no_label_can_be_added_once_the_head_is_made(config):
    nlp = cnn_pipeline(**config)
    recognizer = nlp.get_pipe("medflat_ner")
    assert [recognizer.add_label(label) for label in ("dis", "sym", "dis")] == [1, 1, 0]
    nlp.initialize()
    with pytest.raises(ValueError, match="cannot add the label 'bod' to 'medflat_ner': its head is made for dis, sym"):
        recognizer.add_label("bod")


@pytest.mark.parametrize("label", [None, 1, b"dis"])
def test_a_label_is_a_string(label):
    with pytest.raises(ValueError, match="must be a string"):
        cnn_pipeline().get_pipe("medflat_ner").add_label(label)


def test_labels_from_the_config(tmp_path):
    nlp = cnn_pipeline()
    nlp.initialize(lambda: make_examples(nlp), sgd=None)
    assert nlp.get_pipe("medflat_ner").label_data == ["bod", "dis", "pro", "sym", "dru"]
    again = cnn_pipeline()
    again.get_pipe("medflat_ner").initialize(lambda: make_examples(again), labels=["sym", "bod"])
    assert again.get_pipe("medflat_ner").labels == ("sym", "bod")


@pytest.mark.parametrize("get_examples", [None, [], lambda: None, lambda: ["text"]])
def test_examples_must_be_given_by_a_function(get_examples):
    nlp = cnn_pipeline()
    nlp.get_pipe("medflat_ner").add_label("dis")
    with pytest.raises((TypeError, ValueError)):
        nlp.get_pipe("medflat_ner").initialize(get_examples)


# Learning


@pytest.mark.parametrize("head", [{"@architectures": head} for head in HEADS] + [linear(), linear() | {"crf": False}])
def test_overfitting_with_nesting_and_two_labels_on_one_span(head, tmp_path):
    nlp = cnn_pipeline(model={**head, "tok2vec": cnn(width=96, depth=4, embed_size=2000)})
    # At a higher rate the loss of GlobalPointer jumps up again once it is near 0.
    losses = train(nlp, 80, rate=0.002)
    assert losses["medflat_ner"] < 0.2
    for text, _ in SENTENCES:
        assert sorted(spans_of(nlp(text))) == sorted(gold(text))
    scores = nlp.evaluate(make_examples(nlp))
    assert scores["spans_sc_f"] == scores["spans_sc_nested_f"] == 1.0
    nlp.to_disk(tmp_path)
    loaded = spacy.load(tmp_path)
    for text in TEXTS:
        assert spans_of(loaded(text)) == spans_of(nlp(text))
        assert_array_equal(loaded(text).spans[KEY].attrs["scores"], nlp(text).spans[KEY].attrs["scores"])


def test_overfitting_with_a_transformer(tmp_path):
    nlp = transformer_pipeline(write_recipe(tmp_path))
    assert train(nlp, 80)["medflat_ner"] < 0.5
    assert all(sorted(spans_of(nlp(text))) == sorted(gold(text)) for text, _ in SENTENCES)


@pytest.mark.parametrize("config", [{}, {"model": linear()}])
def test_the_same_seed_gives_the_same_weights(config):
    models = [cnn_pipeline(**config) for _ in range(2)]
    for nlp in models:
        train(nlp, 3)
    first, second = (nlp.get_pipe("medflat_ner").to_bytes(exclude=["vocab"]) for nlp in models)
    assert first == second


def test_loss_falls_where_predicted_and_reference_tokens_differ():
    nlp = cnn_pipeline()
    reference_doc = Doc(nlp.vocab, words=["右肺上叶", "腺癌"], spaces=[False, False])
    reference_doc.spans[KEY] = [Span(reference_doc, 0, 1, label="bod"), Span(reference_doc, 0, 2, label="dis")]
    examples = [Example(nlp.make_doc("右肺上叶腺癌"), reference_doc)]
    fix_random_seed(0)
    optimizer = nlp.initialize(lambda: examples)
    history = []
    for _ in range(60):
        losses = {}
        nlp.update(examples, sgd=optimizer, losses=losses)
        history.append(losses["medflat_ner"])
    assert history[-1] < 0.2 < history[0]
    assert spans_of(nlp("右肺上叶腺癌")) == [(0, 6, "dis"), (0, 4, "bod")]


def test_updates_with_empty_texts_only_change_nothing(trained):
    nlp = spacy.blank("zh").from_config(trained.config).from_bytes(trained.to_bytes())
    before = nlp.get_pipe("medflat_ner").model.to_bytes()
    examples = [Example.from_dict(nlp.make_doc(""), {"spans": {KEY: []}}) for _ in range(2)]
    losses = nlp.update(examples, sgd=nlp.resume_training())
    assert losses["medflat_ner"] == 0.0
    assert nlp.get_pipe("medflat_ner").model.to_bytes() == before


def test_an_unknown_label_is_ignored_with_one_warning(caplog):
    nlp = cnn_pipeline()
    examples = make_examples(nlp)
    nlp.get_pipe("medflat_ner").add_label("dis")
    nlp.get_pipe("medflat_ner").initialize(lambda: examples, labels=["dis"])
    with caplog.at_level(logging.WARNING, logger="spacy"):
        for _ in range(2):
            nlp.update(examples, sgd=False)
    assert sum("'sym' is in the training data but not in the component" in m for m in caplog.messages) == 1


@pytest.mark.parametrize("config", [{}, {"model": linear()}])
def test_unknown_spans_teach_nothing_and_weights_multiply(config):
    nlp = cnn_pipeline(**config)
    train(nlp, 3)

    def loss(change=lambda doc: None):
        examples = make_examples(nlp)[:1]
        change(examples[0].reference)
        losses = {}
        nlp.update(examples, sgd=False, losses=losses, drop=0.0)
        return losses["medflat_ner"]

    def forget(doc):
        doc.spans[unknown_key(KEY)] = list(doc.spans[KEY])
        doc.spans[KEY] = []

    def deny(doc):
        doc.spans[KEY] = []

    assert loss(lambda doc: set_weight(doc, 0.25)) == pytest.approx(0.25 * loss(), rel=1e-5)
    assert loss(lambda doc: set_weight(doc, 0)) == 0.0
    assert loss(forget) < loss(deny)


# Predicting


def test_pipe_equals_one_by_one(trained):
    for alone, together in zip(map(trained, TEXTS), trained.pipe(TEXTS, batch_size=3), strict=True):
        assert spans_of(alone) == spans_of(together)
        assert_allclose(alone.spans[KEY].attrs["scores"], together.spans[KEY].attrs["scores"], atol=1e-5)


def test_order_of_the_batch_does_not_matter(trained):
    forward = {doc.text: spans_of(doc) for doc in trained.pipe(TEXTS)}
    assert forward == {doc.text: spans_of(doc) for doc in trained.pipe(TEXTS[::-1])}


def test_two_processes_give_the_same_spans(tmp_path):
    nlp = transformer_pipeline(write_recipe(tmp_path))
    train(nlp, 30)
    texts = TEXTS * 10
    one = [(spans_of(doc), doc.spans[KEY].attrs["scores"].tolist()) for doc in nlp.pipe(texts, batch_size=8)]
    two = [
        (spans_of(doc), doc.spans[KEY].attrs["scores"].tolist()) for doc in nlp.pipe(texts, n_process=2, batch_size=8)
    ]
    assert [spans for spans, _ in one] == [spans for spans, _ in two] and any(spans for spans, _ in one)
    for (_, a), (_, b) in zip(one, two, strict=True):
        assert_allclose(a, b, atol=1e-5)


def test_context_comes_back_with_each_text(trained):
    pairs = [(text, i) for i, text in enumerate(TEXTS)]
    assert [context for _, context in trained.pipe(pairs, as_tuples=True)] == list(range(len(TEXTS)))


def test_a_bad_document_does_not_sink_the_batch(trained, monkeypatch):
    nlp = spacy.blank("zh").from_config(trained.config).from_bytes(trained.to_bytes())
    recognizer = nlp.get_pipe("medflat_ner")
    failed, predict = [], type(recognizer).predict

    def fail_on(self, docs):
        docs = list(docs)
        if any("坏" in doc.text for doc in docs):
            raise RuntimeError("bad document")
        return predict(self, docs)

    monkeypatch.setattr(type(recognizer), "predict", fail_on)
    nlp.set_error_handler(lambda name, proc, docs, error: failed.extend(docs))
    texts = ["右肺上叶腺癌术后", "坏", "患者贫血"]
    assert [doc.text for doc in nlp.pipe(texts)] == [texts[0], texts[2]]
    assert [doc.text for doc in failed] == ["坏"]


def test_a_document_is_freed_with_its_last_name(trained):
    gc.disable()
    try:
        doc = trained("右肺上叶腺癌术后")
        document, group = weakref.ref(doc), doc.spans[KEY]
        assert [span.text for span in group] == ["右肺上叶腺癌术", "右肺上叶腺癌", "右肺上叶"]
        del doc
        assert document() is None
    finally:
        gc.enable()
    with pytest.raises(RuntimeError, match="make sure that the corresponding Doc object is still available"):
        list(group)


def test_predict_leaves_the_documents_alone(trained):
    doc = trained.make_doc("右肺上叶腺癌术后")
    trained.get_pipe("medflat_ner").predict([doc])
    assert KEY not in doc.spans


@settings(max_examples=30, deadline=None)
@given(text=st.text(st.characters(exclude_categories=["Cs"]), max_size=80))
def test_offsets_are_exact_for_any_text(trained, text):
    doc = trained(text)
    assert doc.text == text
    for span in doc.spans[KEY]:
        assert span.text == text[span.start_char : span.end_char] and span.text
    assert len(doc.spans[KEY].attrs["scores"]) == len(doc.spans[KEY])


def test_a_long_text_is_read_without_a_seam(trained):
    sentence = "右肺上叶腺癌术后"
    text = sentence * 2000
    found = set(spans_of(trained(text)))
    assert found
    # Further from the ends of the text than a span may be wide, every sentence has the same neighbours, wherever the
    # blocks of the band begin.
    by_sentence: dict[int, set] = {}
    for start, end, label in found:
        i = start // len(sentence)
        by_sentence.setdefault(i, set()).add((start - i * len(sentence), end - i * len(sentence), label))
    assert all(by_sentence.get(i) == by_sentence.get(3) for i in range(3, 1980))


# Settings


def decode(nlp, rows, ents=(), **config):
    recognizer = cnn_pipeline(**config).get_pipe("medflat_ner")
    for label in ("bod", "dis", "sym"):
        recognizer.add_label(label)
    start, end, label, score = (np.array(column) for column in zip(*rows, strict=True))
    doc = nlp.make_doc("右肺上叶腺癌术后")
    doc.ents = [Span(doc, *ent) for ent in ents]
    recognizer.set_annotations([doc], [Candidates(start, end, label, logit(score))])
    return doc


ROWS = [(0, 6, 1, 0.9), (0, 4, 0, 0.8), (0, 4, 2, 0.7), (3, 8, 2, 0.6)]


@pytest.mark.parametrize(
    ("nesting", "expected"),
    [
        ("all", [(0, 6, "dis"), (0, 4, "bod"), (0, 4, "sym"), (3, 8, "sym")]),
        ("nested", [(0, 6, "dis"), (0, 4, "bod"), (0, 4, "sym")]),
        ("flat", [(0, 6, "dis")]),
    ],
)
def test_decoding_of_scores_made_by_hand(nesting, expected):
    doc = decode(spacy.blank("zh"), ROWS, nesting=nesting, set_ents=True)
    assert spans_of(doc) == expected
    assert doc.spans[KEY].attrs["scores"].dtype == np.float32
    assert_allclose(doc.spans[KEY].attrs["scores"], [row[3] for row in ROWS[: len(expected)]], rtol=1e-6)
    assert [(ent.start, ent.end, ent.label_) for ent in doc.ents] == [(0, 6, "dis")]


def test_entities_of_others_stay_unless_they_overlap():
    others = [(5, 7, "DATE"), (7, 8, "TIME")]
    doc = decode(spacy.blank("zh"), ROWS, others, set_ents=True)
    assert [(ent.start, ent.end, ent.label_) for ent in doc.ents] == [(0, 6, "dis"), (7, 8, "TIME")]


def test_entities_are_left_alone_unless_asked_for():
    assert not decode(spacy.blank("zh"), ROWS).ents


def test_thresholds(trained):
    recognizer = trained.get_pipe("medflat_ner")
    text = "患者贫血，右肺上叶结节"
    before = dict(recognizer.cfg)
    try:
        recognizer.cfg["label_thresholds"] = {"sym": 1.0}
        assert {label for _, _, label in spans_of(trained(text))} == {"dis", "bod"}
        recognizer.cfg["threshold"] = 1.0
        assert spans_of(trained(text)) == []
        recognizer.cfg["label_thresholds"] = {"sym": 0.0}
        # A head of tags takes nothing that is less probable than 1e-4.
        found = spans_of(trained(text))
        everything = len(text) * (len(text) + 1) // 2
        assert {label for _, _, label in found} == {"sym"}
        assert len(found) == everything if isinstance(recognizer.head, PointerHead) else len(found) >= 2
    finally:
        recognizer.cfg.update(before)


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"threshold": 1.5}, "'threshold' of 'medflat_ner' must be from 0 to 1, but it is 1.5"),
        ({"label_thresholds": {"dis": -1.0}}, "'dis' of 'medflat_ner' must be from 0 to 1, but it is -1.0"),
        ({"model": cnn()}, "has no span head"),
    ],
)
def test_settings_out_of_range(config, message):
    with pytest.raises(ValueError, match=message):
        cnn_pipeline(**config)


def test_an_unknown_nesting_mode():
    model = cnn_pipeline().get_pipe("medflat_ner").model
    with pytest.raises(ValueError, match="one of all, nested, flat, but it is 'some'"):
        NestedEntityRecognizer(spacy.blank("zh").vocab, model, nesting="some")


@pytest.mark.parametrize("setting", [{"head_size": 7}, {"max_width": 0}, {"dropout": 1.0}])
@pytest.mark.parametrize("head", HEADS)
def test_architecture_settings_out_of_range(head, setting):
    name, value = next(iter(setting.items()))
    with pytest.raises(ValueError, match=f"{name} must be .*but it is {value}"):
        spacy.util.registry.architectures.get(head)(tok2vec=None, **setting)


def test_settings_of_tag_sequences_out_of_range():
    with pytest.raises(ValueError, match="name a label once, but dis, sym stand"):
        cnn_pipeline(model=linear() | {"groups": [["sym", "dis"], ["dis"], ["sym"]]})
    # confection before 1.0 says so itself.
    with pytest.raises(ValueError, match=r"must be a list of lists of labels, but it has 'sym'|not a valid sequence"):
        cnn_pipeline(model=linear() | {"groups": ["sym"]})
    with pytest.raises(ValueError, match="dropout must be at least 0 and less than 1"):
        cnn_pipeline(model=linear() | {"dropout": 1.0})


def test_a_threshold_for_a_label_that_is_not_there():
    nlp = cnn_pipeline(label_thresholds={"xyz": 0.3})
    with pytest.raises(ValueError, match="names xyz, but the labels are bod, dis"):
        nlp.initialize(lambda: make_examples(nlp))


@pytest.mark.parametrize("weights", [{"spans_other_f": 1.0}, {"spans_other_f": 0.5, "spans_other_p": 0.5}])
def test_score_weights_for_another_span_group(weights):
    nlp = cnn_pipeline()
    nlp.config["paths"]["train"] = "train.json"
    nlp.config["training"]["score_weights"] = weights
    with pytest.raises(ValueError, match=rf"writes the span group 'sc', but .* has {', '.join(weights)}, which no"):
        nlp.initialize(lambda: make_examples(nlp))


@pytest.mark.parametrize("key", ["other", "my_key"])
def test_score_weights_that_fit(key):
    nlp = cnn_pipeline(spans_key=key)
    nlp.config["paths"]["train"] = "train.json"
    nlp.config["training"]["score_weights"] = {f"spans_{key}_f": 1.0, "spans_sc_f": 0.0}
    nlp.initialize(lambda: make_examples(nlp, key))


def test_score_weights_for_a_frozen_component():
    nlp = cnn_pipeline()
    nlp.add_pipe("medflat_ner", name="frozen", config={"spans_key": "other"})
    nlp.config["paths"]["train"] = "train.json"
    nlp.config["training"]["score_weights"] = {"spans_sc_f": 0.5, "spans_other_f": 0.5}
    with nlp.select_pipes(disable=["frozen"]):
        nlp.initialize(lambda: make_examples(nlp))


def test_one_reader_for_all_corpora():
    nlp = cnn_pipeline()
    nlp.config["corpora"] = {"@readers": "spacy.ConllReader.v9"}
    nlp.initialize(lambda: make_examples(nlp))


# Coverage of gold


def test_coverage_is_logged(caplog):
    nlp = cnn_pipeline()
    with caplog.at_level(logging.INFO, logger="spacy"):
        nlp.initialize(lambda: make_examples(nlp))
    assert any("11 of 11 gold spans within reach (100.00%)" in message for message in caplog.messages)


def test_gold_out_of_reach_is_a_warning_and_none_in_reach_an_error(caplog):
    def pipeline(max_width):
        model = {"@architectures": HEADS[0], "max_width": max_width, "tok2vec": cnn()}
        return cnn_pipeline(model=model)

    nlp = pipeline(4)
    with caplog.at_level(logging.WARNING, logger="spacy"):
        nlp.initialize(lambda: make_examples(nlp))
    assert any("5 gold spans cannot be learnt" in message for message in caplog.messages)
    nlp = pipeline(1)
    with pytest.raises(ValueError, match=r"can reach none of the gold: 0 of 11 .* 11 too wide"):
        nlp.initialize(lambda: make_examples(nlp))


def test_gold_that_one_tag_sequence_cannot_hold_is_a_warning(caplog):
    nlp = cnn_pipeline(model=linear() | {"groups": [["sym"]]})
    with caplog.at_level(logging.INFO, logger="spacy"):
        nlp.initialize(lambda: make_examples(nlp))
    # Of bod in dis in pro, the longest is kept; the others overlap sym only, which has a sequence of its own.
    message = "9 of 11 gold spans within reach (81.82%); out of reach: 0 not aligned with tokens, 2 overlapping"
    assert any(message in found for found in caplog.messages)
    assert any("2 gold spans cannot be learnt" in found for found in caplog.messages)
    nlp.update(make_examples(nlp))


def test_texts_without_a_token():
    nlp = cnn_pipeline()
    nlp.get_pipe("medflat_ner").add_label("dis")
    with pytest.raises(ValueError, match="none of the 1 texts has a token"):
        nlp.initialize(lambda: [Example.from_dict(nlp.make_doc(""), {"spans": {KEY: []}})])


# Saving


def test_bytes_and_config_round_trips(trained):
    again = spacy.blank("zh").from_config(trained.config)
    assert again.config["components"] == trained.config["components"]
    again.from_bytes(trained.to_bytes())
    assert again.get_pipe("medflat_ner").cfg == trained.get_pipe("medflat_ner").cfg
    assert all(spans_of(again(text)) == spans_of(trained(text)) for text in TEXTS)


def test_saving_with_exclude(trained, tmp_path):
    recognizer = trained.get_pipe("medflat_ner")
    recognizer.to_disk(tmp_path / "pipe", exclude=["model"])
    assert not (tmp_path / "pipe" / "model").exists()
    assert recognizer.to_bytes(exclude=["model"]) != recognizer.to_bytes()


def test_weights_are_safetensors_not_pickles(trained, tmp_path):
    trained.to_disk(tmp_path)
    data = (tmp_path / "medflat_ner" / "model").read_bytes()
    assert (b"pair.weight" in data or b"tags.weight" in data) and b"PK\x03\x04" not in data


def test_spans_and_scores_through_docbin(trained):
    doc = trained("右肺上叶腺癌术后")
    (loaded,) = DocBin(docs=[doc]).get_docs(trained.vocab)
    assert isinstance(loaded.spans[KEY], SpanGroup) and spans_of(loaded) == spans_of(doc)
    assert_array_equal(loaded.spans[KEY].attrs["scores"], doc.spans[KEY].attrs["scores"])


def test_sourced_and_frozen(trained):
    nlp = spacy.blank("zh")
    nlp.add_pipe("medflat_ner", source=trained, name="clinical")
    assert [spans_of(nlp(text)) for text in TEXTS] == [spans_of(trained(text)) for text in TEXTS]
    before = nlp.get_pipe("clinical").model.to_bytes()
    with nlp.select_pipes(disable=["clinical"]):
        nlp.update(make_examples(nlp), sgd=nlp.resume_training())
    assert nlp.get_pipe("clinical").model.to_bytes() == before


def test_annotates_on_update(trained):
    seen = []

    # A name is registered once and for all.
    name = f"spans_seen_{id(trained)}"

    @Language.component(name)
    def spans_seen(doc):
        seen.append(spans_of(doc) if KEY in doc.spans else None)
        return doc

    nlp = spacy.blank("zh")
    nlp.add_pipe("medflat_ner", source=trained)
    nlp.add_pipe(name)
    nlp.update(make_examples(nlp), sgd=False, annotates=["medflat_ner", name])
    assert seen and all(spans is not None for spans in seen)


def test_vectors_of_another_width_than_the_heads(trained):
    head = trained.get_pipe("medflat_ner").model.get_ref("output_layer")
    with pytest.raises(ValueError, match=r"made for n_in=96, .* gives 40"):
        set_size(head, "n_in", 40)


def test_initialized_again_nothing_is_left_of_the_training():
    def fresh(nlp):
        fix_random_seed(0)
        nlp.initialize(lambda: make_examples(nlp))
        losses = {}
        nlp.update(make_examples(nlp), sgd=False, losses=losses)
        return losses["medflat_ner"]

    nlp = cnn_pipeline()
    first = fresh(nlp)
    train(nlp, 20)
    assert fresh(nlp) == first


def test_nothing_is_imported_by_hand():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for name in (*HEADS, LINEAR):
            assert spacy.util.registry.architectures.get(name)
    assert Language.has_factory("medflat_ner")
