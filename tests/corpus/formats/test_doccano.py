import json

import pytest

from spacy_medflat.corpus.formats.doccano import read_doccano, write_doccano
from spacy_medflat.corpus.record import Entity
from spacy_medflat.errors import MedflatError

from ..helpers import kinds, tumour, write_json


@pytest.mark.parametrize("field", ["label", "labels"])
def test_triples(field, tmp_path):
    path = write_json(tmp_path / "a.json", [{"id": 3, "text": "右肺", field: [[0, 2, "bod"]], "Comments": []}])
    (record,) = read_doccano(path)
    assert (record.id, record.entities) == ("3", [Entity(0, 2, "bod")])
    assert record.meta == {"id": 3, "Comments": []}


def test_entities_with_offsets(tmp_path):
    entity = {"id": 11, "label": "bod", "start_offset": 0, "end_offset": 2}
    path = write_json(tmp_path / "a.json", [{"text": "右肺", "entities": [entity], "relations": []}])
    (record,) = read_doccano(path)
    assert record.entities == [Entity(0, 2, "bod")]
    assert record.problems == []


def test_relations_are_reported(tmp_path):
    path = write_json(tmp_path / "a.json", [{"text": "右肺", "entities": [], "relations": [{"from_id": 1}]}])
    (record,) = read_doccano(path)
    assert kinds(record.problems) == ["ignored_annotation"]
    assert "relations" not in record.meta


@pytest.mark.parametrize("label", ["bod", [[0, 2]], [["0", 2, "bod"]], [[0, 2, "bod", 1]]])
def test_other_labels_are_refused(label, tmp_path):
    with pytest.raises(MedflatError, match=r"a.json record 1: not a doccano record: label"):
        list(read_doccano(write_json(tmp_path / "a.json", [{"text": "右肺", "label": label}])))


def test_a_field_of_the_other_shape_is_not_mixed_in(tmp_path):
    problems = write_doccano([tumour(meta={"labels": [[0, 1, "x"]], "relations": []})], tmp_path / "a.jsonl")
    assert kinds(problems) == ["dropped_meta", "dropped_meta"]
    assert next(read_doccano(tmp_path / "a.jsonl")).entities == tumour().entities


def test_identifiers_of_entities_are_kept(tmp_path):
    entity = {"start_offset": 0, "end_offset": 2, "label": "bod", "id": 11}
    (record,) = read_doccano(write_json(tmp_path / "a.json", [{"text": "右肺", "entities": [entity]}]))
    assert record.entities[0].meta == {"id": 11}
    assert write_doccano([record], tmp_path / "b.jsonl") == []
    assert json.loads((tmp_path / "b.jsonl").read_text(encoding="utf8")) == {"text": "右肺", "entities": [entity]}
