import pytest

from spacy_medflat.corpus.formats.registry import (
    FORMATS,
    detect_format,
    format_of_output,
    read_records,
    write_records,
)
from spacy_medflat.corpus.record import Entity, Record
from spacy_medflat.errors import MedflatError

from ..helpers import content, tumour, write, write_json

FLAT = [Record("右肺上叶腺癌", [Entity(0, 6, "dis")]), Record("咳嗽3天", [Entity(0, 2, "sym")])]
NAMES = {
    "cmeee": "a.json",
    "brat": "folder",
    "bio": "a.bio",
    "doccano": "a.jsonl",
    "jsonl": "b.jsonl",
    "docbin": "a.spacy",
    "prodigy": "p.jsonl",
    "labelstudio": "l.json",
    "inception": "cas",
}


@pytest.mark.parametrize("name", FORMATS)
def test_what_is_written_is_detected_and_read(name, tmp_path):
    path = tmp_path / NAMES[name]
    assert write_records(FLAT, path, name) == []
    assert detect_format(path) == name
    assert content(read_records(path)) == content(FLAT)


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("a.json", [{"text": "肺"}], "cmeee"),
        ("a.jsonl", [{"text": "肺"}], "jsonl"),
        ("a.json", [], "cmeee"),
        ("a.json", [{"text": "肺", "label": [[0, 1, "bod"]]}], "doccano"),
        ("a.json", [{"text": "肺", "label": "x", "entities": [{"start": 0}]}], "jsonl"),
        (
            "a.jsonl",
            [{"text": "肺", "entities": []}, {"text": "肝", "entities": [{"start_idx": 0}]}],
            "cmeee",
        ),
        ("a.json", [{"text": "肺", "entities": [{"start_offset": 0}]}], "doccano"),
        ("a.json", [7], "cmeee"),
        ("a.json", [{"text": "肺", "label": ["内科"]}], "cmeee"),
        ("a.json", [{"text": "肺", "_input_hash": 1}], "prodigy"),
        ("a.json", [{"text": "肺", "spans": [{"start": 0, "end": 1, "label": "bod"}]}], "prodigy"),
        ("a.json", [{"data": {"text": "肺"}}], "labelstudio"),
        ("a.json", [{"id": 1, "annotations": []}], "labelstudio"),
    ],
)
def test_json_is_told_apart_by_its_fields(name, value, expected, tmp_path):
    assert detect_format(write_json(tmp_path / name, value)) == expected


def test_a_text_with_annotations_beside_it_is_brat(tmp_path):
    write(tmp_path / "a.ann", "")
    assert detect_format(write(tmp_path / "a.txt", "肺")) == "brat"
    with pytest.raises(MedflatError, match=r"b.txt: the name does not tell the format; name one of cmeee, brat"):
        detect_format(write(tmp_path / "b.txt", "肺 O"))


def test_the_span_group_reaches_docbin(tmp_path):
    write_records([tumour()], tmp_path / "a.spacy", "docbin", spans_key="gold")
    assert content(read_records(tmp_path / "a.spacy", spans_key="gold")) == content([tumour()])


@pytest.mark.parametrize("name", FORMATS)
def test_scores_are_kept_or_reported(name, tmp_path):
    path = tmp_path / NAMES[name]
    problems = write_records([Record("右肺", [Entity(0, 2, "bod", score=0.5)], place="x")], path, name)
    (found,) = read_records(path, name)
    kept = found.entities[0].score == 0.5
    predicted = [problem.kind for problem in found.problems]
    assert kept is (name in ("jsonl", "docbin", "prodigy", "labelstudio"))
    assert predicted == (["predicted"] if name == "labelstudio" else [])
    assert [(p.kind, p.place, p.detail) for p in problems] == ([] if kept else [("dropped_meta", "x", "scores")])


def test_unknown_names_and_missing_files(tmp_path):
    with pytest.raises(MedflatError, match="unknown format 'xml'; known are cmeee"):
        read_records(tmp_path, "xml")
    with pytest.raises(MedflatError, match="unknown format 'xml'"):
        write_records([], tmp_path / "a", "xml")
    for name in (None, "cmeee"):
        with pytest.raises(MedflatError, match=r"none.json: no such file or folder"):
            read_records(tmp_path / "none.json", name)


def test_outputs_are_named_by_suffix(tmp_path):
    assert format_of_output(tmp_path / "a.spacy") == "docbin"
    assert format_of_output(tmp_path / "a.bmes") == "bio"
    with pytest.raises(MedflatError, match="the suffix tells no format"):
        format_of_output(tmp_path / "folder")
