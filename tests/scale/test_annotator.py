import numpy as np
import pytest
import spacy
from hypothesis import given
from hypothesis import strategies as st
from spacy.tokens import SpanGroup

from spacy_medflat.errors import MedflatError
from spacy_medflat.scale import annotator as module
from spacy_medflat.scale.annotator import Annotator, batches, entities_of, find_spans_key
from spacy_medflat.scale.items import InputPart, Item
from spacy_medflat.scale.run_settings import RunSettings

from ..pipelines import SENTENCES, cnn_pipeline, spans_of, train, transformer_pipeline, write_recipe
from . import faults
from .faults import BAD


@pytest.fixture(scope="module")
def trained(known_model):
    return known_model


def make(model, **settings):
    return Annotator(RunSettings(**{"model": str(model), "target": "jsonl", "batch_size": 64, **settings}))


def part(texts):
    return InputPart(1, [Item("record", "x", n, {"id": n, "text": text}) for n, text in enumerate(texts, 1)], 0)


def rows(output):
    return [spacy.util.srsly.json_loads(line) for line in output.files[""].decode().split("\n")[:-1]]


@given(lengths=st.lists(st.integers(0, 9), max_size=20), size=st.integers(1, 5), most=st.integers(1, 12))
def test_batches_hold_all_and_are_bounded(lengths, size, most):
    order = sorted(range(len(lengths)), key=lengths.__getitem__)
    before = module.BATCH_CHARACTERS
    module.BATCH_CHARACTERS = most
    try:
        found = list(batches(order, lengths, size))
    finally:
        module.BATCH_CHARACTERS = before
    assert [index for batch in found for index in batch] == order
    assert all(len(batch) <= size for batch in found)
    assert all(len(batch) == 1 or sum(lengths[i] for i in batch) <= most for batch in found)


def test_a_pipeline_runs_in_mixed_precision_on_request(trained, tmp_path):
    nlp = transformer_pipeline(write_recipe(tmp_path / "encoder"))
    train(nlp, 1)
    nlp.to_disk(tmp_path / "saved")
    single, half = (make(tmp_path / "saved", mixed_precision=mixed) for mixed in (False, True))
    text = nlp.make_doc(SENTENCES[0][0])
    one, other = (run.nlp.get_pipe("transformer").predict([text]).model_output[0] for run in (single, half))
    assert 0 < abs(one - other).max() < 0.2
    with pytest.raises(MedflatError, match=r"medflat_ner.* mixed precision"):
        make(trained, mixed_precision=True)(part(["肺"]))


def test_the_spans_are_those_of_the_pipeline_with_their_scores(trained):
    nlp = spacy.load(trained)
    texts = [text for text, _ in SENTENCES] * 5
    found = rows(make(trained, batch_size=4)(part(texts)))
    for row, text in zip(found, texts, strict=True):
        doc = nlp(text)
        assert [(e["start"], e["end"], e["label"]) for e in row["entities"]] == spans_of(doc)
        scores = [e["score"] for e in row["entities"]]
        assert scores == pytest.approx(np.array(doc.spans["sc"].attrs["scores"]).tolist(), abs=1e-4)
        assert scores == [round(score, 4) for score in scores]
    assert any(row["entities"] for row in found)


def test_new_words_do_not_stay_in_the_vocabulary(trained):
    annotator = make(trained)
    annotator(part(["肺"]))
    before = len(annotator.nlp.vocab.strings), len(list(annotator.nlp.vocab))
    annotator(part([f"{chr(0x4E00 + n)}词{chr(0x3400 + n)}" for n in range(500)]))
    assert (len(annotator.nlp.vocab.strings), len(list(annotator.nlp.vocab))) == before


def test_a_bad_text_fails_alone(faulty, monkeypatch):
    annotator = make(faulty, code=faults.__file__)
    output = annotator(part(["咳嗽", BAD, "右肺", f"咳嗽{BAD}"]))
    assert [row["id"] for row in rows(output)] == [1, 3]
    assert [len(row["entities"]) for row in rows(output)] == [1, 1]
    assert [(f.id, f.place) for f in output.receipt.failures] == [(2, "x record 2"), (4, "x record 4")]
    assert output.receipt.failures[0].reason == f"RuntimeError: cannot read {BAD}"
    assert (output.receipt.documents, output.receipt.entities) == (2, 2)


def test_a_component_that_drops_documents_does_not_shift_the_others(faulty):
    annotator = make(faulty, code=faults.__file__)
    annotator.nlp.set_error_handler(spacy.util.ignore_error)
    output = annotator(part([BAD, "咳嗽"]))
    assert [(row["id"], len(row["entities"])) for row in rows(output)] == [(2, 1)]
    assert output.receipt.failures[0].reason == "ValueError: the pipeline gave 0 documents for 1 texts"


def test_texts_may_be_longer_than_spacy_allows_by_default(faulty, monkeypatch):
    nlp = spacy.load(faulty)
    nlp.max_length = 3
    with monkeypatch.context() as patch:
        patch.setattr(spacy, "load", lambda name, config: nlp)
        annotator = make(faulty, code=faults.__file__)
        output = annotator(part(["右肺咳嗽"]))
    assert (output.receipt.documents, output.receipt.entities) == (1, 2)


def test_groups_without_scores_and_without_group():
    doc = spacy.blank("zh")("肺癌")
    doc.spans["sc"] = SpanGroup(doc, spans=[doc[0:2]])
    assert entities_of(doc, "sc")[0][:4] == (0, 2, "", None)
    with pytest.raises(MedflatError, match="writes no span group 'x'; it writes 'sc'"):
        entities_of(doc, "x")


def test_the_span_group_is_found():
    assert find_spans_key(cnn_pipeline(spans_key="found")) == "found"
    nlp = spacy.blank("zh")
    with pytest.raises(MedflatError, match="has no component that finds spans"):
        find_spans_key(nlp)
    nlp.add_pipe("span_ruler", config={"spans_key": "one"})
    assert find_spans_key(nlp) == "one"
    nlp.add_pipe("span_ruler", name="other", config={"spans_key": "two"})
    with pytest.raises(MedflatError, match="with --spans-key: the pipeline writes 'one', 'two'"):
        find_spans_key(nlp)


def test_every_span_above_the_lowest_score_is_written(trained):
    nlp = spacy.load(trained)
    finder = nlp.get_pipe("medflat_ner")
    finder.cfg.update(label_thresholds={"bod": 1.0}, nesting="flat", set_ents=True)
    text = SENTENCES[0][0]
    written = rows(make(trained, lowest=0.03)(part([text])))[0]["entities"]
    finder.cfg.update(threshold=0.03, label_thresholds={}, nesting="all")
    assert [(e["start"], e["end"], e["label"]) for e in written] == spans_of(nlp(text))
    assert {e["label"] for e in written} >= {"bod", "dis", "pro"}


def test_only_a_component_with_thresholds_can_lower_them(tmp_path):
    spacy.blank("zh").to_disk(tmp_path)
    with pytest.raises(MedflatError, match="has no 'medflat_ner' component"):
        make(tmp_path, lowest=0.03)(part(["贫血"]))


def test_sections_and_contexts_are_no_group_to_write(judge):
    assert find_spans_key(spacy.load(judge)) == "sc"
