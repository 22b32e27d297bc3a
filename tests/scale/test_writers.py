import gzip

import pytest
import spacy
from hypothesis import given
from spacy.tokens import DocBin

from spacy_medflat.context.attributes import Context, FoundCue, context_fields, context_of
from spacy_medflat.corpus.formats.brat import read_brat
from spacy_medflat.corpus.formats.docbin import read_docbin
from spacy_medflat.corpus.formats.registry import read_records
from spacy_medflat.scale.items import Document, FoundEntity
from spacy_medflat.scale.run_settings import FieldNames
from spacy_medflat.scale.writers import PART_FORMATS, write_part

from ..corpus.helpers import write
from ..corpus.strategies import json_values, metas, texts

NAMES = FieldNames()


def row(text, place="p", **fields):
    found = [FoundEntity(0, len(text), "dis", 0.5, text)] if text else []
    return Document(text, {"text": text, **fields}, fields.get("id"), place), found


@given(text=texts, fields=metas, identifier=json_values)
def test_lines_hold_all_fields(text, fields, identifier):
    import json

    written = write_part([row(text, **{**fields, "id": identifier})], "jsonl", NAMES, "sc", "zh")
    (line,) = written.files[""].decode().removesuffix("\n").split("\n")
    entities = [{"start": 0, "end": len(text), "label": "dis", "score": 0.5, "text": text}] if text else []
    assert json.loads(line) == {"text": text, **fields, "id": identifier, "entities": entities}


def test_packed_bytes_do_not_depend_on_the_time(monkeypatch):
    import time

    first = write_part([row("肺")], "jsonl.gz", NAMES, "sc", "zh").files[""]
    monkeypatch.setattr(time, "time", lambda: 0.0)
    assert write_part([row("肺")], "jsonl.gz", NAMES, "sc", "zh").files[""] == first
    assert gzip.decompress(first * 2).count(b"\n") == 2


def test_docbin_holds_scores_identifiers_and_fields(tmp_path):
    from spacy.vocab import Vocab

    written = write_part([row("肺癌", id="n1", ward=3), row("肺", id=7)], "docbin", NAMES, "found", "zh")
    path = write(tmp_path / "a.spacy", written.files[""])
    records = list(read_docbin(path, "found"))
    assert [(r.id, r.meta) for r in records] == [("n1", {"ward": 3}), ("7", {"id": 7})]
    first = next(iter(DocBin().from_disk(path).get_docs(Vocab())))
    assert list(first.spans["found"].attrs["scores"]) == [0.5]


def test_a_document_that_the_format_cannot_hold_is_left_out_alone(tmp_path):
    rows = [row("肺", id="a"), row("肝", "there", id="b", n=2**70), row("心", id="c")]
    written = write_part(rows, "docbin", NAMES, "sc", "zh")
    assert [r.id for r in read_docbin(write(tmp_path / "a.spacy", written.files[""]))] == ["a", "c"]
    ((identifier, place, reason),) = written.failures
    assert (identifier, place) == ("b", "there") and "a DocBin cannot store the fields" in reason
    assert written.entities == 2


def test_brat_names_files_after_identifiers(tmp_path):
    rows = [row("肺", id="a"), row("肝", id="ward/b"), row("心", id="../c")]
    written = write_part(rows, "brat", NAMES, "sc", "zh")
    assert [*written.files] == ["000003.ann", "000003.txt", "a.ann", "a.txt", "ward/b.ann", "ward/b.txt"]
    (tmp_path / "ward").mkdir()
    for name, data in written.files.items():
        write(tmp_path / name, data)
    assert sorted(r.text for r in read_brat(tmp_path)) == ["心", "肝", "肺"]
    assert [p.kind for p in written.problems] == ["dropped_meta"]


@pytest.mark.parametrize("target", PART_FORMATS)
def test_no_rows(target):
    if target == "parquet":
        pytest.importorskip("pyarrow", reason="Parquet needs pyarrow")
    written = write_part([], target, NAMES, "sc", "zh")
    assert written.entities == 0 and not written.failures


def judged(text, context):
    document, (entity,) = row(text)
    return document, [entity._replace(said=context_fields(context))]


CONTEXT = Context("absent", "family", "current", (FoundCue(0, 1, "无", "absent"),))
SAID = {
    "assertion": "absent",
    "experiencer": "family",
    "temporality": "current",
    "cues": [{"start": 0, "end": 1, "text": "无", "value": "absent"}],
}


def test_what_is_said_about_entities_is_among_their_fields(tmp_path):
    written = write_part([judged("无咳嗽", CONTEXT), row("肺癌")], "jsonl", NAMES, "sc", "zh")
    path = write(tmp_path / "a.jsonl", written.files[""])
    assert [record.entities[0].meta for record in read_records(path)] == [SAID, {}]


def test_what_is_said_about_entities_is_in_the_docs_of_a_docbin(tmp_path):
    written = write_part([judged("无咳嗽", CONTEXT)], "docbin", NAMES, "sc", "zh")
    path = write(tmp_path / "a.spacy", written.files[""])
    (doc,) = DocBin().from_disk(path).get_docs(spacy.blank("zh").vocab)
    assert context_of(doc.spans["sc"][0]) == CONTEXT
    assert [record.entities[0].meta for record in read_docbin(path)] == [SAID]


def test_brat_has_attributes_and_lists_what_it_loses():
    written = write_part([judged("无咳嗽", CONTEXT)], "brat", NAMES, "sc", "zh")
    lost = {problem.detail for problem in written.problems if problem.kind == "dropped_meta"}
    assert "entity field 'cues' ×1" in lost
    assert not any("assertion" in detail for detail in lost)
    (lines,) = (data.decode() for name, data in written.files.items() if name.endswith(".ann"))
    attributes = ["A1\tassertion T1 absent", "A2\texperiencer T1 family", "A3\ttemporality T1 current"]
    assert lines.splitlines()[1:] == attributes
