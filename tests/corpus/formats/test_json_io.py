import pytest
from hypothesis import given
from hypothesis import strategies as st

from spacy_medflat.corpus.formats.cmeee import read_cmeee, write_cmeee
from spacy_medflat.corpus.formats.doccano import read_doccano, write_doccano
from spacy_medflat.corpus.formats.json_io import read_objects, split_id
from spacy_medflat.corpus.formats.jsonl import read_jsonl, write_jsonl
from spacy_medflat.corpus.formats.labelstudio import read_labelstudio, write_labelstudio
from spacy_medflat.corpus.formats.prodigy import read_prodigy, write_prodigy
from spacy_medflat.corpus.record import Entity, Record
from spacy_medflat.errors import MedflatError

from ..helpers import content, kinds, tumour, write, write_json
from ..strategies import records


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


# What all JSON formats have in common

FORMATS = {
    "cmeee array": (read_cmeee, write_cmeee, "a.json"),
    "cmeee lines": (read_cmeee, write_cmeee, "a.jsonl"),
    "doccano": (read_doccano, write_doccano, "a.jsonl"),
    "jsonl": (read_jsonl, write_jsonl, "a.jsonl"),
    "prodigy": (read_prodigy, write_prodigy, "a.jsonl"),
    "labelstudio": (read_labelstudio, write_labelstudio, "a.json"),
}
WITH_ENTITIES = {name: FORMATS[name] for name in FORMATS if name not in ("prodigy", "labelstudio")}
each_format = pytest.mark.parametrize(("read", "write_records", "name"), FORMATS.values(), ids=FORMATS)

each_with_entities = pytest.mark.parametrize(
    ("read", "write_records", "name"), WITH_ENTITIES.values(), ids=WITH_ENTITIES
)


@each_format
@given(items=st.lists(records(), max_size=3))
def test_round_trip_is_exact(read, write_records, name, items, tmp_path_factory):
    path = tmp_path_factory.getbasetemp() / name
    assert write_records(items, path) == []
    found = list(read(path))
    assert content(found) == content(items)
    assert [(r.id, r.meta) for r in found] == [(r.id, r.meta) for r in items]


@each_format
def test_raw_offsets_pass_through(read, write_records, name, tmp_path):
    items = [Record("肺癌", [Entity(5, 3, "dis"), Entity(-1, 99, "dis"), Entity(1, 1, "dis")])]
    write_records(items, tmp_path / name)
    assert content(read(tmp_path / name)) == content(items)


@each_format
def test_identifiers_and_other_fields_are_written_back(read, write_records, name, tmp_path):
    items = [tumour(id="n7", meta={"ward": 3}), tumour(id="8", meta={"id": 8, "p": 0.1 + 0.2, "big": 2**70})]
    write_records(items, tmp_path / name)
    assert [(r.id, r.meta) for r in read(tmp_path / name)] == [(r.id, r.meta) for r in items]
    assert '"id": 8' in (tmp_path / name).read_text(encoding="utf-8")


@each_format
def test_a_field_with_a_name_of_the_format_is_reported(read, write_records, name, tmp_path):
    problems = write_records([tumour(meta={"text": "other", "label": 1, "entities": 2}, place="x")], tmp_path / name)
    assert set(kinds(problems)) == {"dropped_meta"}
    assert {"field 'text': the format uses this name itself"} <= {p.detail for p in problems}
    assert next(read(tmp_path / name)).text == tumour().text


@each_format
def test_chinese_stands_as_itself(read, write_records, name, tmp_path):
    write_records([tumour()], tmp_path / name)
    assert tumour().text in (tmp_path / name).read_text(encoding="utf-8")


@each_format
def test_no_records_give_a_readable_file(read, write_records, name, tmp_path):
    write_records([], tmp_path / name)
    assert list(read(tmp_path / name)) == []


@each_with_entities
@pytest.mark.parametrize(
    ("value", "message"),
    [
        ([3], r"a.json record 1: not a .* record: record: .*got 3; is the file in another format"),
        ([{}], "a.json record 1: .*text: field required"),
        ([{"text": "肺"}, {"text": 7}], "a.json record 2: .*text: .*got 7"),
        ([{"text": None}], "record 1: .*text: .*got None"),
        ([{"text": "肺", "entities": {"a": 1}}], "record 1: .*entities: .*list.*got"),
        ([{"text": "肺", "entities": ["肺"]}], r"record 1: .*entities.0: .*got '肺'"),
    ],
)
def test_wrong_shapes_name_place_field_and_value(read, write_records, name, value, message, tmp_path):
    with pytest.raises(MedflatError, match=message):
        list(read(write_json(tmp_path / "a.json", value)))


@each_with_entities
def test_half_a_surrogate_pair_does_not_stop_the_reader(read, write_records, name, tmp_path):
    path = write_json(tmp_path / "a.json", [{"text": "肺\ud83d"}, {"text": "肝"}])
    assert [record.text for record in read(path)] == ["肺\ud83d", "肝"]


@each_format
def test_records_are_written_as_they_come(read, write_records, name, tmp_path):
    def endless():
        yield tumour()
        raise RuntimeError("stop")

    with pytest.raises(RuntimeError):
        write_records(endless(), tmp_path / name)
    assert tumour().text in (tmp_path / name).read_text(encoding="utf-8")
