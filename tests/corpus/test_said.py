import spacy
from spacy.tokens import Span

from spacy_medflat.context.attributes import Context, set_context
from spacy_medflat.corpus.docs import doc_to_record, record_to_doc
from spacy_medflat.corpus.record import Entity, Record
from spacy_medflat.corpus.said import said_of, said_shown, set_said
from spacy_medflat.linking.attributes import Code, set_codes
from spacy_medflat.values.attributes import Part, Value, set_value

VALUE = Value(form="number", numbers=(92.0,), unit="g/L", ucum="g/L", parts=(Part("number", 4, 6, "92"),))


def span_with_everything():
    doc = spacy.blank("zh").make_doc("血红蛋白92g/L")
    span = Span(doc, 0, 4, label="ite")
    set_context(span, Context("absent", "patient", "current"))
    set_value(span, VALUE)
    set_codes(span, [Code("H1", "血红蛋白", 1.0, "exact")])
    return doc, span


def test_nothing_is_said():
    doc = spacy.blank("zh").make_doc("肺")
    assert said_of(Span(doc, 0, 1, label="bod")) == {}
    assert said_shown(Span(doc, 0, 1, label="bod")) == ("", "", "", "")


def test_all_of_it():
    _, span = span_with_everything()
    fields = said_of(span)
    assert list(fields) == ["assertion", "experiencer", "temporality", "cues", "value", "codes"]
    assert fields["value"]["numbers"] == [92.0] and fields["codes"][0]["code"] == "H1"
    assert said_shown(span) == ("absent", "", "92 g/L", "H1")


def test_from_a_doc_to_a_record_and_back():
    doc, span = span_with_everything()
    doc.spans["sc"] = [span]
    record = doc_to_record(doc, "sc")
    assert "cues" not in record.entities[0].meta
    other, problems = record_to_doc(record, spacy.blank("zh").make_doc, "sc")
    assert not problems and said_of(other.spans["sc"][0]) == said_of(span)


def test_fields_that_are_wrong_are_named_and_others_kept():
    meta = {"assertion": "no", "value": {"direction": "up"}, "codes": ["H1"]}
    record = Record("肺", [Entity(0, 1, "bod", meta=meta)], place="x line 1")
    doc, problems = record_to_doc(record, spacy.blank("zh").make_doc, "sc")
    assert [problem.kind for problem in problems] == ["unknown_value"] * 2
    assert "assertion must be" in str(problems[0]) and "direction of a value must be" in str(problems[1])
    assert doc.spans["sc"][0]._.codes[0].code == "H1"
    assert doc_to_record(doc, "sc").entities[0].meta == meta


def test_fields_of_other_makers_are_left_alone():
    doc = spacy.blank("zh").make_doc("肺")
    span = Span(doc, 0, 1, label="bod")
    assert set_said(span, {"value": 5, "codes": {"a": 1}, "cues": "x"}) == [] and said_of(span) == {}
