import json

import pytest

from spacy_medflat.cli.check_data import check_data
from spacy_medflat.corpus.formats.registry import write_records
from spacy_medflat.corpus.record import Entity, Record

from ..corpus.helpers import tumour, write
from .apps import run


@pytest.fixture
def files(tmp_path):
    train = [tumour(), Record("肺癌", [Entity(0, 2, "dis")])]
    dev = [Record("肺癌", [Entity(0, 2, "dis")]), Record("阿司匹林", [Entity(0, 4, "dru")])]
    write_records(train, tmp_path / "train.json", "cmeee")
    write_records(dev, tmp_path / "dev.jsonl", "jsonl")
    return tmp_path / "train.json", tmp_path / "dev.jsonl"


def test_one_sound_file(files):
    result = run(check_data, files[0], "--strict")
    assert result.exit_code == 0
    assert "no problems found" in result.stdout
    assert "between the files" not in result.stdout


def test_across_files(files, tmp_path):
    result = run(check_data, *files, "--json", tmp_path / "report.json")
    assert result.exit_code == 0
    assert "share 1 text" in result.stdout
    assert "dev.jsonl line 1: same text as train.json record 2" in result.stdout
    assert "label 'dru' (1 entity) does not occur in" in result.stdout
    report = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
    assert list(report["files"]) == [str(path) for path in files]
    assert report["shared_texts"] == [
        {
            "files": [str(path) for path in files],
            "count": 1,
            "places": [["train.json record 2", "dev.jsonl line 1"]],
        }
    ]
    assert [p["kind"] for p in report["label_differences"]] == [
        "label_mismatch",
        "label_absent",
        "label_absent",
    ]


def test_strict_reports_and_then_fails(files):
    result = run(check_data, *files, "--strict")
    assert result.exit_code == 1
    assert "share 1 text" in result.stdout
    assert "1 broken items, the first: " in result.stderr
    assert "label_mismatch" in result.stderr


def test_a_leak_alone_does_not_fail_a_strict_check(files, tmp_path):
    write_records([tumour()], tmp_path / "dev.json", "cmeee")
    assert run(check_data, files[0], tmp_path / "dev.json", "--strict").exit_code == 0


def test_entities_that_do_not_align(tmp_path):
    write_records([Record("肺  癌", [Entity(0, 2, "x")])], tmp_path / "a.json", "cmeee")
    result = run(check_data, tmp_path / "a.json")
    assert result.exit_code == 0
    assert "unaligned 1" in result.stdout
    assert run(check_data, tmp_path / "a.json", "--strict").exit_code == 1


def test_a_file_given_twice_is_read_once(files):
    assert "between the files" not in run(check_data, files[0], files[0]).stdout


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("a.json", '[{"text"', "a.json line 1 column 9: not JSON"),
        ("a.json", b"\xff", "not UTF-8"),
        ("a.xyz", "", "the name does not tell the format"),
    ],
)
def test_unreadable_files(name, text, message, tmp_path):
    result = run(check_data, write(tmp_path / name, text))
    assert (result.exit_code, result.stderr.count("\n")) == (1, 1)
    assert message in result.stderr


def test_missing_files_and_formats(files, tmp_path):
    assert "no such file" in run(check_data, tmp_path / "none.json").stderr
    assert "unknown format 'xml'" in run(check_data, files[0], "--from", "xml").stderr
    assert "no language 'klingon'" in run(check_data, files[0], "--lang", "klingon").stderr


def test_what_is_skipped_is_listed(tmp_path):
    path = write(tmp_path / "a.bio", "肺\tB-dis\n癌\tI-dis\n\n肺 癌 \n\n胃\tX\n炎\tY\n\n肝\tB-bod\n")
    result = run(check_data, path)
    assert result.exit_code == 0
    assert "2 of 4 read" in result.stdout and "unreadable 2" in result.stdout
    assert "a.bio line 4: '癌' is no tag" in result.stdout and "a.bio line 6: 'X' is no tag" in result.stdout
    assert run(check_data, path, "--strict").exit_code == 1


def test_a_file_without_entities_is_a_warning(tmp_path):
    result = run(check_data, write(tmp_path / "a.jsonl", '{"text": "肺"}'), "--strict")
    assert result.exit_code == 0
    assert "no_entities 1" in result.stdout and "a.jsonl: texts: 1, entities: 0" in result.stdout


def test_annotations_that_are_not_read_are_an_error(tmp_path):
    text = '{"text": "肺", "entites": [{"start": 0, "end": 1, "label": "bod"}]}'
    result = run(check_data, write(tmp_path / "a.jsonl", text))
    assert result.exit_code == 1 and "field 'entites' looks like annotations" in result.stderr
