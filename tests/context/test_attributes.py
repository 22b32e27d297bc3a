import pytest
import spacy
from spacy.tokens import Doc, DocBin, Span

from spacy_medflat.context.attributes import Context, FoundCue, context_of, set_context, values_of
from spacy_medflat.errors import ContextError
from spacy_medflat.span_facts import readable_spans

from .helpers import with_spans

FOUND = Context(
    "absent", "patient", "historical", (FoundCue(0, 2, "否认", "absent"), FoundCue(5, 6, "史", "historical"))
)


@pytest.fixture
def doc():
    doc = with_spans(spacy.blank("zh").make_doc("否认高血压史。"), [(2, 5, "dis"), (2, 5, "sym"), (2, 4, "bod")])
    set_context(doc.spans["sc"][0], FOUND)
    return doc


def test_attributes_are_those_of_characters_and_label(doc):
    dis, sym, bod = doc.spans["sc"]
    assert (dis._.assertion, dis._.experiencer, dis._.temporality) == ("absent", "patient", "historical")
    assert [cue.text for cue in dis._.cues] == ["否认", "史"]
    assert sym._.assertion is None and bod._.assertion is None and sym._.cues == []
    assert Span(doc, 2, 5, label="dis")._.assertion == "absent"


def test_two_labels_on_the_same_characters_and_the_order_of_the_group(doc):
    set_context(doc.spans["sc"][1], FOUND._replace(assertion="possible", cues=()))
    doc.spans["other"] = list(doc.spans["sc"])[::-1]
    assert [span._.assertion for span in doc.spans["other"]] == [None, "possible", "absent"]


def test_they_can_be_set_one_by_one(doc):
    span = doc.spans["sc"][2]
    span._.experiencer = "family"
    assert values_of(span) == {"experiencer": "family"}
    span._.assertion = "possible"
    span._.experiencer = None
    assert values_of(span) == {"assertion": "possible"}


def test_an_unknown_value_is_refused_and_changes_nothing(doc):
    span = doc.spans["sc"][0]
    with pytest.raises(ContextError, match=r"assertion must be one of present, absent, .* but it is 'no'"):
        span._.assertion = "no"
    assert context_of(span) == FOUND


def test_through_bytes_docbin_and_copies(doc):
    docs = DocBin(docs=[doc], store_user_data=True).to_bytes()
    (packed,) = DocBin().from_bytes(docs).get_docs(spacy.blank("zh").vocab)
    for other in (packed, Doc(spacy.blank("zh").vocab).from_bytes(doc.to_bytes()), doc.copy()):
        assert [context_of(span) for span in other.spans["sc"]] == [FOUND, None, None]


def test_in_joined_docs_and_in_parts_of_one(doc):
    front = Doc(doc.vocab, words=["咳", "嗽"], spaces=[False, False])
    joined = Doc.from_docs([front, doc], ensure_whitespace=False)
    span = joined.spans["sc"][0]
    assert span.text == "高血压" and span._.assertion == "absent"
    assert [joined.text[cue.start : cue.end] for cue in span._.cues] == ["否认", "史"]
    part = doc[2:6].as_doc(copy_user_data=True)
    found = Span(part, 0, 3, label="dis")
    assert found._.temporality == "historical"
    assert [(cue.text, cue.start) for cue in found._.cues] == [("史", 3)]


def test_a_retokenized_doc_keeps_them(doc):
    with doc.retokenize() as retokenizer:
        retokenizer.merge(doc[2:5])
    span = doc.char_span(2, 5, label="dis")
    assert span._.assertion == "absent" and len(span) == 1


def test_spans_that_a_retokenization_left_outside_are_skipped():
    doc = with_spans(spacy.blank("zh").make_doc("无发热、咳嗽"), [(1, 3, "sym"), (4, 6, "sym")])
    with doc.retokenize() as retokenizer:
        retokenizer.merge(doc[0:4])
    assert [span.start_char for span in readable_spans(doc.spans["sc"])] == [1]
