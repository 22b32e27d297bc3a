import spacy
from spacy.tokens import Doc, DocBin, Span

from spacy_medflat.span_facts import SpanFacts

FACTS = SpanFacts("medflat_test_fact")


def doc_with_facts():
    doc = spacy.blank("zh").make_doc("右肺腺癌")
    FACTS.set(Span(doc, 0, 4, label="dis"), [1, "a"])
    return doc


def test_a_fact_is_of_characters_and_label():
    doc = doc_with_facts()
    FACTS.set(Span(doc, 0, 4, label="sym"), [2])
    assert FACTS.get(Span(doc, 0, 4, label="dis")) == [1, "a"]
    assert FACTS.get(Span(doc, 0, 4, label="sym")) == [2]
    assert FACTS.get(Span(doc, 0, 3, label="dis")) is None


def test_none_takes_a_fact_away_and_leaves_no_trace():
    doc = doc_with_facts()
    FACTS.set(Span(doc, 0, 4, label="dis"), None)
    assert FACTS.get(Span(doc, 0, 4, label="dis")) is None
    empty = spacy.blank("zh").make_doc("肺")
    FACTS.set(Span(empty, 0, 1, label="bod"), None)
    assert not empty.user_data


def test_facts_travel_with_the_doc():
    doc = doc_with_facts()
    packed = DocBin(docs=[doc], store_user_data=True).to_bytes()
    (read,) = DocBin().from_bytes(packed).get_docs(spacy.blank("zh").vocab)
    front = Doc(doc.vocab, words=["无"], spaces=[False])
    joined = Doc.from_docs([front, doc], ensure_whitespace=False)
    assert list(FACTS.get(Span(read, 0, 4, label="dis"))) == [1, "a"]
    assert list(FACTS.get(Span(joined, 1, 5, label="dis"))) == [1, "a"]
