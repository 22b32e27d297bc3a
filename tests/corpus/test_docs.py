import pytest
import spacy
from hypothesis import given

from spacy_medflat.corpus.docs import doc_to_record, record_to_doc
from spacy_medflat.corpus.record import Entity, Record

from .helpers import kinds, tumour
from .strategies import records


@pytest.fixture(scope="module")
def nlp():
    return spacy.blank("zh")


@given(record=records())
def test_every_entity_is_there_or_reported(nlp, record):
    doc, problems = record_to_doc(record, nlp.make_doc, "sc")
    assert doc.text == record.text
    boundaries = {0, *(i for t in doc for i in (t.idx, t.idx + len(t)))}
    aligned = [e for e in record.entities if {e.start, e.end} <= boundaries]
    assert set(kinds(problems)) <= {"unaligned"}
    found = doc_to_record(doc, "sc")
    assert len(found.entities) + len(problems) == len(record.entities)
    assert [e for e in found.entities if e in aligned] == found.entities
    assert (found.id, found.meta) == (record.id, record.meta)


def test_any_entity_over_chinese_characters_aligns(nlp):
    doc, problems = record_to_doc(tumour(), nlp.tokenizer, "gold")
    assert problems == []
    assert [(s.text, s.label_) for s in doc.spans["gold"]] == [
        ("右肺上叶腺癌", "dis"),
        ("右肺上叶", "bod"),
        ("咳嗽", "sym"),
    ]


def test_two_labels_on_one_span_are_two_spans(nlp):
    doc, _ = record_to_doc(Record("肺癌", [Entity(0, 2, "dis"), Entity(0, 2, "肿瘤 A/B")]), nlp.make_doc, "sc")
    assert [s.label_ for s in doc.spans["sc"]] == ["dis", "肿瘤 A/B"]


def test_white_space_that_is_one_token_cannot_be_cut(nlp):
    doc, problems = record_to_doc(
        Record("肺  癌", [Entity(0, 2, "x"), Entity(0, 4, "y")], place="p"), nlp.make_doc, "sc"
    )
    assert [str(p) for p in problems] == ["p: unaligned: 'x' 0-2 '肺 '"]
    assert [s.label_ for s in doc.spans["sc"]] == ["y"]


@pytest.mark.parametrize("bounds", [(1, 1), (2, 1), (-1, 1), (0, 3), (5, 9)])
def test_offsets_outside_the_text_are_not_moved_into_it(nlp, bounds):
    doc, problems = record_to_doc(Record("肺癌", [Entity(*bounds, "x")]), nlp.make_doc, "sc")
    assert kinds(problems) == ["unaligned"]
    assert len(doc.spans["sc"]) == 0


@pytest.mark.parametrize("text", ["", "肺"])
def test_the_group_is_set_without_entities(nlp, text):
    assert "sc" in record_to_doc(Record(text), nlp.make_doc, "sc")[0].spans


def test_a_missing_group_is_reported(nlp):
    doc, _ = record_to_doc(tumour(), nlp.make_doc, "gold")
    record = doc_to_record(doc, "sc", place="p")
    assert [str(p) for p in record.problems] == ["p: missing_spans_key: no span group 'sc'; the document has 'gold'"]
    flat = nlp.make_doc("肺癌")
    flat.ents = [flat.char_span(0, 2, label="dis")]
    assert "doc.ents" in doc_to_record(flat, "sc").problems[0].detail
    assert doc_to_record(nlp.make_doc("肺癌"), "sc").problems == []


def test_an_empty_group_beside_others_is_reported(nlp):
    doc, _ = record_to_doc(tumour(), nlp.make_doc, "gold")
    doc.spans["sc"] = []
    assert [str(p) for p in doc_to_record(doc, "sc", place="p").problems] == [
        "p: ignored_annotation: span group 'sc' is empty; the document has 'gold'"
    ]


def test_what_a_corpus_says_about_entities_becomes_attributes(nlp):
    cue = {"start": 0, "end": 1, "text": "无", "value": "absent"}
    meta = {"assertion": "absent", "temporality": None, "cues": [cue, "无", {"start": "0"}], "note": 1}
    record = Record("无咳嗽", [Entity(1, 3, "sym", meta=meta)])
    doc, problems = record_to_doc(record, nlp.make_doc, "sc")
    span = doc.spans["sc"][0]
    assert problems == []
    assert (span._.assertion, span._.experiencer, span._.temporality) == ("absent", None, None)
    assert [found.text for found in span._.cues] == ["无"]
    assert doc_to_record(doc, "sc").entities[0].meta == meta


@pytest.mark.parametrize("value", ["absnt", 1, ["absent"], {"a": 1}])
def test_a_value_that_does_not_exist_is_reported_and_kept_as_a_field(nlp, value):
    record = Record("无咳嗽", [Entity(1, 3, "sym", meta={"assertion": value})], place="x line 1")
    doc, (problem,) = record_to_doc(record, nlp.make_doc, "sc")
    assert problem.kind == "unknown_value" and "assertion must be one of present, absent" in str(problem)
    assert doc.spans["sc"][0]._.assertion is None
    assert doc_to_record(doc, "sc").entities[0].meta == {"assertion": value}


def test_what_a_pipeline_says_about_entities_is_among_their_fields():
    pipeline = spacy.blank("zh")
    pipeline.add_pipe("medflat_context")
    doc, _ = record_to_doc(Record("无咳嗽", [Entity(1, 3, "sym")]), pipeline.make_doc, "sc")
    (entity,) = doc_to_record(pipeline(doc), "sc").entities
    assert entity.meta == {
        "assertion": "absent",
        "experiencer": "patient",
        "temporality": "current",
        "cues": [{"start": 0, "end": 1, "text": "无", "value": "absent"}],
    }
