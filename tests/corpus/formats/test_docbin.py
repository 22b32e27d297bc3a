import zlib

import pytest
import spacy
from hypothesis import given, settings
from hypothesis import strategies as st
from spacy.tokens import DocBin, Span
from spacy.training import Corpus

from spacy_medflat.corpus.docs import doc_to_record
from spacy_medflat.corpus.formats.docbin import read_docbin, write_docbin
from spacy_medflat.corpus.record import Entity, Record
from spacy_medflat.errors import MedflatError

from ..helpers import content, kinds, tumour, write
from ..strategies import ANY_CHARACTER, records

# Runs of white space are one token; entities that cut one are lost, which test_docs looks at.
NO_SPACE = st.text(ANY_CHARACTER.filter(lambda char: not char.isspace()), max_size=30)


@settings(max_examples=50)
@given(items=st.lists(records(texts=NO_SPACE), max_size=3))
def test_round_trip_is_exact(items, tmp_path_factory):
    path = tmp_path_factory.getbasetemp() / "a.spacy"
    assert write_docbin(items, path) == []
    found = list(read_docbin(path))
    assert content(found) == content(items)
    assert [(r.id, r.meta) for r in found] == [(r.id, r.meta) for r in items]


def test_scores_survive(tmp_path):
    scored = Record("右肺上叶", [Entity(0, 2, "bod", score=0.5), Entity(0, 4, "bod", score=0.75)])
    assert write_docbin([scored, Record("咳", [Entity(0, 1, "sym")])], tmp_path / "a.spacy") == []
    first, second = read_docbin(tmp_path / "a.spacy")
    assert [e.score for e in first.entities] == [0.5, 0.75]
    assert [e.score for e in second.entities] == [None]
    doc = spacy.blank("zh").make_doc("右肺上叶")
    doc.spans["sc"] = [Span(doc, 0, 2, label="bod")]
    for other in ("mine", [0.5, 0.5], {"a": 1}):
        doc.spans["sc"].attrs["scores"] = other
        assert [e.score for e in doc_to_record(doc, "sc").entities] == [None]


@settings(max_examples=50)
@given(item=records())
def test_any_text_survives(item, tmp_path_factory):
    path = tmp_path_factory.getbasetemp() / "a.spacy"
    problems = write_docbin([item], path)
    (found,) = read_docbin(path)
    assert found.text == item.text
    assert len(found.entities) + len(problems) == len(item.entities)
    assert [e for e in item.entities if e in found.entities] == found.entities


def test_spacy_trains_on_what_is_written(tmp_path):
    write_docbin([tumour(), Record("肺")], tmp_path / "a.spacy", spans_key="gold")
    first, second = Corpus(tmp_path / "a.spacy")(spacy.blank("zh"))
    assert [s.text for s in first.reference.spans["gold"]] == ["右肺上叶腺癌", "右肺上叶", "咳嗽"]
    assert list(second.reference.spans["gold"]) == []


def test_places_and_groups(tmp_path):
    write_docbin([tumour(id="n1")], tmp_path / "a.spacy", spans_key="gold")
    (record,) = read_docbin(tmp_path / "a.spacy", spans_key="gold")
    assert (record.place, record.id, record.entities) == ("a.spacy record 1", "n1", tumour().entities)
    (record,) = read_docbin(tmp_path / "a.spacy")
    assert kinds(record.problems) == ["missing_spans_key"]


def test_entities_that_do_not_align_are_reported(tmp_path):
    problems = write_docbin([Record("肺  癌", [Entity(0, 2, "x")], place="p")], tmp_path / "a.spacy")
    assert [(p.kind, p.place) for p in problems] == [("unaligned", "p")]


@pytest.mark.parametrize("data", [b"", b"rubbish", zlib.compress(b"rubbish"), zlib.compress(b"\x80"), "cut"])
def test_damaged_files(data, tmp_path):
    if data == "cut":
        data = DocBin(docs=[spacy.blank("zh")("肺癌")]).to_bytes()[:-20]
    with pytest.raises(MedflatError, match=r"a.spacy: not a spaCy DocBin, or damaged"):
        list(read_docbin(write(tmp_path / "a.spacy", data)))


def test_unknown_language(tmp_path):
    with pytest.raises(MedflatError, match="no language 'klingon'"):
        write_docbin([], tmp_path / "a.spacy", lang="klingon")


def test_fields_that_do_not_fit(tmp_path):
    with pytest.raises(MedflatError, match="p: a DocBin cannot store the fields"):
        write_docbin([Record("肺", place="p", meta={"n": 2**70})], tmp_path / "a.spacy")
