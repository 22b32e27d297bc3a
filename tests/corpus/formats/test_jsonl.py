import json

import pytest

from spacy_medflat.corpus.formats.jsonl import read_jsonl, write_jsonl
from spacy_medflat.corpus.record import Entity
from spacy_medflat.errors import MedflatError

from ..helpers import content, tumour, write, write_json


def test_plain_lines_are_as_documented(tmp_path):
    write_jsonl([tumour(id="n1", meta={"ward": "呼吸科"})], tmp_path / "a.jsonl")
    assert json.loads((tmp_path / "a.jsonl").read_text(encoding="utf-8")) == {
        "id": "n1",
        "text": tumour().text,
        "entities": [
            {"start": 0, "end": 6, "label": "dis"},
            {"start": 0, "end": 4, "label": "bod"},
            {"start": 7, "end": 9, "label": "sym"},
        ],
        "ward": "呼吸科",
    }


def test_plain_lines_without_entities(tmp_path):
    path = write(tmp_path / "a.jsonl", '{"text": "肺"}\n{"text": "肝", "entities": null}')
    assert content(read_jsonl(path)) == [("肺", []), ("肝", [])]


@pytest.mark.parametrize("value", ["3", 3.0, True, None])
def test_offsets_are_not_coerced(value, tmp_path):
    path = write_json(tmp_path / "a.json", [{"text": "肺", "entities": [{"start": value, "end": 1, "label": "bod"}]}])
    with pytest.raises(MedflatError, match=r"entities.0.start: input should be a valid integer, got"):
        list(read_jsonl(path))


def test_extra_fields_of_entities_are_kept(tmp_path):
    entity = {"start": 0, "end": 1, "label": "bod", "negated": True, "id": 7}
    path = write_json(tmp_path / "a.jsonl", {"text": "肺肝", "entities": [entity]})
    (record,) = read_jsonl(path)
    assert record.entities[0].meta == {"negated": True, "id": 7} and not record.problems
    assert write_jsonl([record], tmp_path / "b.jsonl") == []
    assert json.loads((tmp_path / "b.jsonl").read_text(encoding="utf8"))["entities"] == [entity]


def test_plain_lines_keep_an_entitys_text_and_score(tmp_path):
    entity = {"start": 0, "end": 1, "label": "bod", "text": "肺", "score": 0.5}
    path = write_json(tmp_path / "a.jsonl", {"text": "肺肝", "entities": [entity]})
    records = list(read_jsonl(path))
    assert not records[0].problems and records[0].entities[0].surface == "肺"
    assert write_jsonl(records, tmp_path / "b.jsonl") == []
    assert json.loads((tmp_path / "b.jsonl").read_text(encoding="utf8"))["entities"] == [entity]


def test_unknown_spans_and_the_weight_are_fields(tmp_path):
    line = {"text": "肺癌", "entities": [], "unknown": [{"start": 0, "end": 1, "label": "bod", "score": 0.5}]}
    path = write_json(tmp_path / "a.jsonl", {**line, "loss_weight": 0.25, "weight": 62})
    (record,) = read_jsonl(path)
    assert (record.unknown, record.weight, record.meta) == ([Entity(0, 1, "bod")], 0.25, {"weight": 62})
    assert write_jsonl([record], tmp_path / "b.jsonl") == []
    written = json.loads((tmp_path / "b.jsonl").read_text(encoding="utf8"))
    assert written == {**line, "loss_weight": 0.25, "weight": 62}


@pytest.mark.parametrize(
    ("field", "value"),
    [("loss_weight", -1), ("loss_weight", "1"), ("loss_weight", float("nan")), ("unknown", [{"start": 0}])],
)
def test_uncertainty_that_cannot_be_read(field, value, tmp_path):
    path = write_json(tmp_path / "a.jsonl", {"text": "肺癌", "entities": [], field: value})
    with pytest.raises(MedflatError, match=f"line 1: not a plain JSON-lines record: {field}"):
        list(read_jsonl(path))
