import pytest

from spacy_medflat.corpus.conversion import convert_corpus
from spacy_medflat.corpus.formats.registry import FORMATS, read_records, write_records
from spacy_medflat.corpus.record import Entity, Record
from spacy_medflat.errors import MedflatError

from .helpers import content, tumour

# Without nesting, identifiers and white space every format can hold these.
PLAIN = [Record("右肺上叶腺癌", [Entity(0, 6, "dis")]), Record("咳嗽👩3天", [Entity(0, 2, "sym")])]


@pytest.mark.parametrize("target", FORMATS)
@pytest.mark.parametrize("source", FORMATS)
def test_any_format_to_any_other(source, target, tmp_path):
    write_records(PLAIN, tmp_path / "in", source)
    report = convert_corpus(tmp_path / "in", tmp_path / "out", source_format=source, target_format=target, strict=True)
    assert content(read_records(tmp_path / "out", target)) == content(PLAIN)
    assert (report.texts, report.entities) == (2, 2)


def test_problems_of_the_writer_are_reported_and_stop_a_strict_run(tmp_path):
    write_records([tumour()], tmp_path / "in.json", "cmeee")
    report = convert_corpus(tmp_path / "in.json", tmp_path / "out.bio")
    assert [p.place for p in report.problems["dropped_span"]] == ["in.json record 1"]
    (tmp_path / "out.bio").write_text("old")
    with pytest.raises(MedflatError, match=r"in.json record 1: dropped_span"):
        convert_corpus(tmp_path / "in.json", tmp_path / "out.bio", strict=True)
    assert (tmp_path / "out.bio").read_text() == "old"


def test_a_file_can_be_converted_in_place(tmp_path):
    write_records([tumour()], tmp_path / "a.jsonl", "doccano")
    convert_corpus(tmp_path / "a.jsonl", tmp_path / "a.jsonl", target_format="jsonl")
    assert content(read_records(tmp_path / "a.jsonl", "jsonl")) == content([tumour()])
