import logging

import spacy
from spacy.tokens import Doc, Span

from spacy_medflat.fact_pipe import FactPipe
from spacy_medflat.span_facts import SpanFacts

LENGTHS = SpanFacts("medflat_test_length")


class Lengths(FactPipe):
    """Keeps the length of each span."""

    def __init__(self, key="sc"):
        self.name, self.cfg = "lengths", {"spans_key": key}

    def compile(self, rows):
        pass

    def facts(self, doc, spans):
        return [len(span) for span in spans]

    def store(self, span, fact):
        LENGTHS.set(span, fact)


def doc_with_spans() -> Doc:
    doc = spacy.blank("zh").make_doc("右肺腺癌")
    doc.spans["sc"] = [Span(doc, 0, 4, label="dis"), Span(doc, 0, 2, label="bod")]
    return doc


def test_each_span_has_its_fact():
    doc = Lengths()(doc_with_spans())
    assert [LENGTHS.get(span) for span in doc.spans["sc"]] == [4, 2]


def test_predict_changes_nothing():
    doc = doc_with_spans()
    assert Lengths().predict([doc, doc]) == [[4, 2], [4, 2]] and not doc.user_data


def test_entities_of_the_doc():
    doc = doc_with_spans()
    doc.ents = [Span(doc, 2, 4, label="dis")]
    assert LENGTHS.get(Lengths(None)(doc).ents[0]) == 2


def test_a_missing_group_is_told_once(caplog):
    pipe = Lengths("other")
    with caplog.at_level(logging.WARNING, "spacy"):
        list(pipe.pipe([doc_with_spans(), doc_with_spans()]))
    (record,) = caplog.records
    assert "lengths: a Doc has no span group 'other'" in record.getMessage() and "'sc'" in record.getMessage()
