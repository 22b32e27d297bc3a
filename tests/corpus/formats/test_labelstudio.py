import json
from copy import deepcopy

import pytest

from spacy_medflat.corpus.check import read_checked
from spacy_medflat.corpus.formats.labelstudio import read_labelstudio, write_labelstudio
from spacy_medflat.corpus.record import Entity
from spacy_medflat.errors import MedflatError

from ..helpers import kinds, tumour, write_json


def region(start, end, *labels, **fields):
    value = {"start": start, "end": end, "text": "右肺上叶腺癌"[start:end], "labels": list(labels)}
    return {"id": f"r{start}{end}", "from_name": "label", "to_name": "text", "type": "labels", "value": value, **fields}


TASK = {
    "id": 17,
    "data": {"text": "右肺上叶腺癌", "ward": 3},
    "annotations": [
        {
            "id": 5,
            "completed_by": 1,
            "result": [region(0, 6, "dis", origin="manual"), region(0, 4, "bod"), region(0, 2, "bod", "sym")],
            "was_cancelled": False,
            "lead_time": 8.4,
            "updated_at": "2026-01-01T00:00:00Z",
        }
    ],
    "predictions": [
        {"model_version": "m1", "score": 0.7, "result": [region(0, 6, "dis", score=0.9), region(4, 6, "sym")]}
    ],
    "created_at": "2025-12-01",
}
GOLD = [Entity(0, 6, "dis"), Entity(0, 4, "bod"), Entity(0, 2, "bod"), Entity(0, 2, "sym")]


def read(tmp_path, *tasks):
    return list(read_labelstudio(write_json(tmp_path / "a.json", tasks)))


def written(records, tmp_path):
    assert write_labelstudio(records, tmp_path / "b.json") == []
    return json.loads((tmp_path / "b.json").read_text(encoding="utf8"))


def changed(**fields):
    return {**deepcopy(TASK), **fields}


def test_nested_regions_are_read_and_written_back(tmp_path):
    (record,) = read(tmp_path, TASK)
    assert (record.id, record.entities, record.meta["ward"]) == ("17", GOLD, 3)
    assert record.entities[0].meta == {"id": "r06", "origin": "manual"}
    assert [p.detail for p in record.problems] == ["regions of predictions ×2"]
    assert written([record], tmp_path) == [TASK]


def test_predictions_give_entities_with_scores_if_there_is_no_annotation(tmp_path):
    task = changed(annotations=[])
    (record,) = read(tmp_path, task)
    assert [(e.label, e.score) for e in record.entities] == [("dis", 0.9), ("sym", 0.7)]
    assert kinds(record.problems) == ["predicted"]
    (again,) = written([record], tmp_path)
    assert [r["value"]["labels"] for r in again["predictions"][0]["result"]] == [["dis"], ["sym"]]
    assert again["predictions"][0]["model_version"] == "m1" and again["annotations"] == []


def test_cancelled_tasks_are_no_gold(tmp_path):
    cancelled = {**TASK["annotations"][0], "was_cancelled": True}
    path = write_json(tmp_path / "a.json", [TASK, changed(annotations=[cancelled])])
    clean, report = read_checked(path)
    assert len(list(clean)) == 1 and [p.place for p in report.problems["rejected"]] == ["a.json record 2"]
    (record,) = read(tmp_path, changed(annotations=[cancelled, *TASK["annotations"]]))
    assert record.entities == GOLD and written([record], tmp_path)[0]["annotations"][0] == cancelled


@pytest.mark.parametrize(
    "better", [{"updated_at": "2026-02-01T00:00:00Z"}, {"ground_truth": True, "updated_at": "2020"}]
)
def test_of_several_annotations_the_true_or_newest_is_read(better, tmp_path):
    other = {**TASK["annotations"][0], "result": [region(2, 4, "sym")], **better}
    task = changed(annotations=[*TASK["annotations"], other])
    (record,) = read(tmp_path, task)
    assert record.entities == [Entity(2, 4, "sym")]
    assert "regions of other annotations ×3" in [p.detail for p in record.problems]
    assert written([record], tmp_path) == [task]


def test_other_types_are_reported_and_kept(tmp_path):
    choice = {"type": "choices", "value": {"choices": ["x"]}}
    task = changed(annotations=[{"result": [region(0, 6, "dis"), choice]}], predictions=[1, 2])
    (record,) = read(tmp_path, task)
    assert [p.detail for p in record.problems] == ["regions of the type 'choices' ×1"]
    assert written([record], tmp_path) == [task]


def test_broken_regions_are_listed(tmp_path):
    broken = [region(0, 6, "dis"), region(0, 4), {"type": "labels", "value": {"start": "0", "end": 3}}]
    path = write_json(tmp_path / "a.json", [changed(annotations=[{"result": broken}], predictions=None)])
    clean, report = read_checked(path)
    assert [r.entities for r in clean] == [[Entity(0, 6, "dis")]]
    assert [p.place for p in report.problems["broken_annotation"]] == [
        "a.json record 1 region 2",
        "a.json record 1 region 3",
    ]
    with pytest.raises(MedflatError, match=r"region 3: not a Label Studio record: value.start"):
        list(read_labelstudio(path))


@pytest.mark.parametrize(
    ("task", "message"),
    [
        ({"text": "肺", "annotations": []}, "data: field required"),
        ({"data": {"text": "肺"}, "completions": [{"result": []}]}, "before 1.0"),
        ({"data": {"text": "肺", "spans": [{"start": 0}]}}, "'spans' looks like annotations"),
        ({"data": {"text": "肺"}, "annotations": [{"results": []}]}, "result: field required|annotations"),
    ],
)
def test_what_is_not_read_is_an_error(task, message, tmp_path):
    with pytest.raises(MedflatError, match=message):
        read(tmp_path, task)


def test_records_of_other_formats_become_tasks(tmp_path):
    (task,) = written([tumour(id="n1", meta={"ward": 3})], tmp_path)
    assert task["data"] == {"id": "n1", "text": tumour().text, "ward": 3}
    assert [r["value"]["labels"] for r in task["annotations"][0]["result"]] == [["dis"], ["bod"], ["sym"]]
    (record,) = read_labelstudio(tmp_path / "b.json")
    assert (record.id, record.meta, record.entities) == ("n1", {"ward": 3}, tumour().entities)


def test_offsets_of_old_versions_are_told_by_the_text_of_the_region(tmp_path):
    def marked(start, end, text):
        return {"type": "labels", "value": {"start": start, "end": end, "text": text, "labels": ["bod"]}}

    # In characters; in UTF-16 units, inside which it is another one; neither.
    regions = [marked(2, 4, "右肺"), marked(3, 5, "右肺"), marked(6, 8, "𠮷叶"), marked(0, 1, "右肺")]
    path = write_json(tmp_path / "a.json", [{"data": {"text": "👩见右肺上𠮷叶"}, "annotations": [{"result": regions}]}])
    clean, report = read_checked(path)
    (record,) = clean
    assert [(e.start, e.end) for e in record.entities] == [(2, 4), (0, 1)]
    assert [p.detail for p in report.problems["utf16_offsets"]] == ["3-5 is 2-4 in characters"]
    assert kinds(report.problems["surface_mismatch"]) == ["surface_mismatch"]
