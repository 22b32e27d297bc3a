import json

from spacy_medflat.corpus.formats.cmeee import read_cmeee, write_cmeee
from spacy_medflat.corpus.record import Entity, Record

from ..helpers import tumour, write_json

RAW = [
    {
        "text": "右肺上叶腺癌",
        "entities": [
            {"start_idx": 0, "end_idx": 5, "type": "dis", "entity": "右肺上叶腺癌"},
            {"start_idx": 0, "end_idx": 3, "type": "bod", "entity": "右肺上叶"},
        ],
        "source": {"page": 3},
    },
    {"text": "未标注"},
]


def test_inclusive_ends_become_exclusive(tmp_path):
    first, second = read_cmeee(write_json(tmp_path / "train.json", RAW))
    assert first.entities == [Entity(0, 6, "dis"), Entity(0, 4, "bod")]
    assert [e.surface for e in first.entities] == ["右肺上叶腺癌", "右肺上叶"]
    assert (first.place, first.meta) == ("train.json record 1", {"source": {"page": 3}})
    assert (second.text, second.entities) == ("未标注", [])


def test_what_is_written_is_what_was_read(tmp_path):
    path = write_json(tmp_path / "a.json", RAW[:1])
    write_cmeee(read_cmeee(path), tmp_path / "b.json")
    assert json.loads((tmp_path / "b.json").read_text(encoding="utf-8")) == RAW[:1]


def test_the_suffix_chooses_between_array_and_lines(tmp_path):
    write_cmeee([tumour(), tumour()], tmp_path / "a.json")
    write_cmeee([tumour(), tumour()], tmp_path / "a.jsonl")
    assert len(json.loads((tmp_path / "a.json").read_text(encoding="utf-8"))) == 2
    lines = (tmp_path / "a.jsonl").read_text(encoding="utf-8").splitlines()
    assert [json.loads(line)["text"] for line in lines] == [tumour().text] * 2


def test_a_wrong_surface_is_carried_and_written_back(tmp_path):
    write_cmeee([Record("肺癌", [Entity(0, 1, "bod", "肝")])], tmp_path / "a.json")
    assert next(read_cmeee(tmp_path / "a.json")).entities[0].surface == "肝"
