import pytest

from spacy_medflat.corpus.formats.json_io import read_objects, split_id
from spacy_medflat.errors import MedflatError

from ..helpers import write


def places(path):
    return [place for place, _ in read_objects(path)]


def test_places_count_from_one(tmp_path):
    assert places(write(tmp_path / "a.json", ' \n [{"text": "肺"}, {}]')) == [
        "a.json record 1",
        "a.json record 2",
    ]
    assert places(write(tmp_path / "a.jsonl", "{}\n\n \n{}")) == ["a.jsonl line 1", "a.jsonl line 4"]


def test_byte_order_mark_is_passed_over(tmp_path):
    assert places(write(tmp_path / "a.json", "\ufeff[{}]")) == ["a.json record 1"]
    assert places(write(tmp_path / "a.jsonl", "\ufeff{}\n{}")) == ["a.jsonl line 1", "a.jsonl line 2"]


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("a.json", '[{"text": "肺"},\n {"text": "', r"a.json line 2 column 11: not JSON: .*is it cut off"),
        ("a.json", '[{"text": "肺"}', r"a.json line 1 column 15: not JSON: .*is it cut off"),
        ("a.json", '[{"text": 肺}]', r"a.json line 1 column 11: not JSON: .*at '肺}\]'"),
        ("a.json", '{\n"text": "肺"\n}', r"a.json line 1 .*one JSON object a line|is it cut off"),
        ("a.jsonl", '{"text": "肺"}\n{"text"', r"a.jsonl line 2 column 8: not JSON"),
        ("a.jsonl", "{}\n" + '{"a":' * 100_000, r"a.jsonl line 2: JSON that cannot be held"),
        ("a.json", "[" + "9" * 5000 + "]", r"a.json line 1: JSON that cannot be held"),
        ("a.json", " \n", r"a.json: the file is empty"),
        ("a.json", b'[{"text": "\xff"}]', r"a.json line 1: not UTF-8"),
        ("a.jsonl", b'{}\n{"text": "\xb7\xce"}\n', r"a.jsonl line 2: not UTF-8 \(byte 0xb7\)"),
        ("a.json", "[{}]".encode("utf-16"), r"a.json line 1: not UTF-8"),
    ],
)
def test_unreadable_files_say_where(tmp_path, name, text, message):
    with pytest.raises(MedflatError, match=message):
        list(read_objects(write(tmp_path / name, text)))


def test_an_empty_lines_file_has_no_records(tmp_path):
    assert places(write(tmp_path / "a.jsonl", "")) == []
    assert places(write(tmp_path / "a.json", "[]")) == []


@pytest.mark.parametrize(
    ("fields", "identifier", "meta"),
    [
        ({"id": "n7", "ward": 3}, "n7", {"ward": 3}),
        ({"id": 7}, "7", {"id": 7}),
        ({"id": None}, "", {"id": None}),
        (None, "", {}),
    ],
)
def test_split_id(fields, identifier, meta):
    assert split_id(fields) == (identifier, meta)
