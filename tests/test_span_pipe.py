import pytest
import spacy
from spacy.language import Language
from spacy.tokens import Span

from spacy_medflat.span_pipe import SpanPipe


class FirstTwo(SpanPipe):
    """Marks the first two tokens, and fails on a batch with 坏 in it."""

    def __init__(self, name):
        self.name, self.cfg = name, {"spans_key": "x"}

    def predict(self, docs):
        if any("坏" in doc.text for doc in docs):
            raise RuntimeError("bad document")
        return [min(2, len(doc)) for doc in docs]

    def set_annotations(self, docs, found):
        for doc, end in zip(docs, found, strict=True):
            doc.spans[self.key] = [Span(doc, 0, end, label="x")]


@Language.factory("medflat_test_first_two")
def make_first_two(nlp, name):
    return FirstTwo(name)


@pytest.fixture
def nlp():
    nlp = spacy.blank("zh")
    nlp.add_pipe("medflat_test_first_two")
    return nlp


def test_one_by_one_equals_a_stream(nlp):
    texts = ["右肺上叶", "", "贫血"]
    for alone, streamed in zip(map(nlp, texts), list(nlp.pipe(texts, batch_size=2)), strict=True):
        assert str(alone.spans["x"]) == str(streamed.spans["x"]) and type(alone.spans["x"]) is type(streamed.spans["x"])


def test_a_bad_document_does_not_sink_its_batch(nlp):
    failed = []
    nlp.set_error_handler(lambda name, pipe, docs, error: failed.append((name, str(error), [d.text for d in docs])))
    texts = ["右肺上叶", "坏", "贫血"]
    assert [doc.text for doc in nlp.pipe(texts)] == ["右肺上叶", "贫血"]
    assert failed == [("medflat_test_first_two", "bad document", ["坏"])]
    assert "x" not in nlp("坏").spans


def test_a_span_group_without_its_document_says_what_to_do(nlp):
    group = nlp("右肺上叶").spans["x"]
    with pytest.raises(RuntimeError, match="make sure that the corresponding Doc object is still available"):
        list(group)
