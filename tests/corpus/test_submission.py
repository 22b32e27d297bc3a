import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spacy_medflat.corpus.conversion import convert_corpus
from spacy_medflat.corpus.formats.registry import write_records
from spacy_medflat.corpus.record import Entity, Record
from spacy_medflat.corpus.submission import TYPES, check_objects, check_submission
from spacy_medflat.errors import MedflatError

from .helpers import TUMOUR, write, write_json

TEXTS = [TUMOUR, "", "咳嗽👩3天", TUMOUR]


def entity(text, start, end, label):
    return {"start_idx": start, "end_idx": end, "type": label, "entity": text[start : end + 1]}


def make():
    entities = [entity(TUMOUR, 0, 5, "dis"), entity(TUMOUR, 0, 3, "bod"), entity(TUMOUR, 0, 3, "sym")]
    return [
        {"text": TUMOUR, "entities": entities},
        {"text": "", "entities": []},
        {"text": TEXTS[2], "entities": [entity(TEXTS[2], 2, 2, "ite"), entity(TEXTS[2], 4, 4, "ite")]},
        {"text": TUMOUR, "entities": []},
    ]


def check(submitted):
    check_objects([(f"out.json record {i}", value) for i, value in enumerate(submitted, 1)], TEXTS, "test.json")


def test_a_valid_submission():
    check(make())


def broken(place, **fields):
    submitted = make()
    submitted[0]["entities"][place].update(fields)
    return submitted


def without(field):
    submitted = make()
    del submitted[2]["entities"][1][field]
    return submitted


@pytest.mark.parametrize(
    ("submitted", "message"),
    [
        (make()[:3], "test.json has 4 texts, but only 3 are submitted"),
        (make() * 2, "out.json record 5: one text too many; test.json has 4"),
        (make()[::-1], "out.json record 2: not the text of test.json at this place: '咳嗽👩3天' in place of ''"),
        ([["肺"]], r"out.json record 1: not an object with a 'text': \['肺'\]"),
        ([{"text": 3}], "out.json record 1: not an object with a 'text'"),
        ([{"text": TUMOUR}], "out.json record 1: 'entities' must be a list, but it is None"),
        ([{"text": TUMOUR, "entities": [3]}], "out.json record 1 entity 1: not an object: 3"),
        (broken(1, start_idx="0"), "record 1 entity 2: 'start_idx' must be of the type int, but it is '0'"),
        (broken(1, start_idx=True), "'start_idx' must be of the type int, but it is True"),
        (broken(1, end_idx=3.0), "'end_idx' must be of the type int, but it is 3.0"),
        (broken(1, start_idx=4), "entity 2: the offsets 4-3, end inclusive, are not in the text of 14"),
        (broken(1, start_idx=-1), "entity 2: the offsets -1-3"),
        (broken(1, end_idx=14), "entity 2: the offsets 0-14"),
        (broken(0, type="xyz"), "entity 1: the type 'xyz' is not one of bod, dep"),
        (broken(0, type=None), "entity 1: 'type' must be of the type str, but it is None"),
        (broken(2, entity="右肺"), "entity 3: 'entity' is '右肺', but the text at 0-3 is '右肺上叶'"),
        (broken(2, type="bod"), "entity 3: .* stands there twice"),
        *((without(field), f"record 3 entity 2: '{field}' must be") for field in ("start_idx", "end_idx", "entity")),
    ],
)
def test_the_first_problem_is_named_with_its_place(submitted, message):
    with pytest.raises(MedflatError, match=message):
        check(submitted)


SPANS = st.tuples(st.integers(0, 13), st.integers(0, 13), st.sampled_from(TYPES))


@given(st.lists(SPANS, unique=True, max_size=6))
def test_what_the_writer_writes_is_valid(tmp_path_factory, spans):
    folder = tmp_path_factory.mktemp("submission")
    entities = [Entity(min(a, b), max(a, b) + 1, label) for a, b, label in spans]
    write_json(folder / "test.json", [{"text": text} for text in TEXTS])
    write_records([Record(text, entities if text == TUMOUR else []) for text in TEXTS], folder / "out.json", "cmeee")
    if len(set(entities)) == len(entities):
        check_submission(folder / "out.json", folder / "test.json")
    else:
        with pytest.raises(MedflatError, match="stands there twice"):
            check_submission(folder / "out.json", folder / "test.json")


@pytest.mark.parametrize("name", ["out.json", "out.jsonl"])
def test_json_lines_are_no_submission(tmp_path, name):
    write_json(tmp_path / "test.json", [{"text": "肺"}])
    out = write(tmp_path / name, json.dumps({"text": "肺", "entities": []}))
    with pytest.raises(MedflatError, match=r"out\.jsonl?: a submission is one JSON array"):
        check_submission(out, tmp_path / "test.json")


def test_conversion_to_a_submission(tmp_path):
    test = write_json(tmp_path / "test.json", [{"text": TUMOUR}, {"text": "肺癌"}])
    records = [Record(TUMOUR, [Entity(0, 6, "dis")], id="a", meta={"ward": 3}), Record("肺癌", [], id="b")]
    write_records(records, tmp_path / "found.jsonl", "jsonl")
    convert_corpus(tmp_path / "found.jsonl", tmp_path / "CMeEE_test.json", submission=test)
    written = json.loads((tmp_path / "CMeEE_test.json").read_text(encoding="utf-8"))
    assert written[0]["entities"] == [entity(TUMOUR, 0, 5, "dis")] and written[1]["entities"] == []


@pytest.mark.parametrize(
    ("records", "target", "message"),
    [
        ([Record(TUMOUR)], "out.json", "has 2 texts, but only 1 are submitted"),
        ([Record(TUMOUR, [Entity(0, 20, "dis")]), Record("肺癌")], "out.json", "out_of_text"),
        ([Record(TUMOUR), Record("肺癌")], "out.jsonl", "is to be 'jsonl'; call it .json"),
        ([Record(TUMOUR), Record("肺癌", [Entity(0, 2, "xyz")])], "out.json", "record 2 entity 1: the type 'xyz'"),
    ],
)
def test_nothing_is_written_unless_it_is_valid(tmp_path, records, target, message):
    test = write_json(tmp_path / "test.json", [{"text": TUMOUR}, {"text": "肺癌"}])
    write_records(records, tmp_path / "found.jsonl", "jsonl")
    out = write(tmp_path / target, "old")
    with pytest.raises(MedflatError, match=message):
        convert_corpus(tmp_path / "found.jsonl", out, submission=test)
    assert out.read_text(encoding="utf-8") == "old"


@pytest.mark.data
def test_the_official_test_file(data_dir, tmp_path):
    test = data_dir / "cmeee" / "CMeEE_test.json"
    texts = [record["text"] for record in json.loads(test.read_text(encoding="utf-8"))]
    assert len(texts) == 3000
    records = [
        Record(text, [Entity(i, i + 3, TYPES[i % 9]) for i in range(0, len(text) - 3, 5)], place=f"text {number}")
        for number, text in enumerate(texts)
    ]
    write_records(records, tmp_path / "found.jsonl", "jsonl")
    report = convert_corpus(tmp_path / "found.jsonl", tmp_path / "CMeEE_test.json", submission=test)
    assert report.texts == 3000
    check_submission(tmp_path / "CMeEE_test.json", test)
    records[1999], records[2000] = records[2000], records[1999]
    write_records(records, tmp_path / "found.jsonl", "jsonl")
    with pytest.raises(MedflatError, match="record 2000: not the text"):
        convert_corpus(tmp_path / "found.jsonl", tmp_path / "swapped.json", submission=test)
    assert not (tmp_path / "swapped.json").exists()
