import json
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from spacy_medflat.corpus.conversion import convert_corpus
from spacy_medflat.corpus.formats.registry import read_records
from spacy_medflat.corpus.record import Entity
from spacy_medflat.errors import MedflatError
from spacy_medflat.scale.items import Document
from spacy_medflat.scale.run_settings import FieldNames
from spacy_medflat.selection.reading import ReadNote
from spacy_medflat.selection.tasks import TOOLS, labelling_interface, tool_for, write_tasks

FIELDS = FieldNames(entities="")
LABELS = ["bod", "dis"]
# An emoji of two UTF-16 units before, and a rare character inside of the nested entities.
TEXT = "👩‍⚕查𠮷右肺上叶腺癌"
NESTED = [Entity(4, 11, "dis", score=0.9), Entity(5, 9, "bod", score=0.8), Entity(4, 5, "dis", score=0.6)]
NAMES = {
    "doccano": "todo.jsonl",
    "labelstudio": "todo.json",
    "prodigy": "todo.jsonl",
    "brat": "todo",
    "inception": "todo",
}


def note(text=TEXT, suggested=NESTED, **fields):
    values = {"id": "n1", "text": text, "ward": 3, **fields}
    return ReadNote(Document(text, values, values.get("id"), "notes line 1"), suggested, 0.1, 0.75)


def write(tool, folder, *notes):
    return write_tasks(notes, folder / NAMES[tool], tool, FIELDS, LABELS, "mine 1.0")


def back(tool, folder):
    convert_corpus(folder / NAMES[tool], folder / "back.jsonl", source_format=tool)
    return list(read_records(folder / "back.jsonl"))


def corrected_doccano(path):
    """As doccano exports: a number of its own unless the file had one, sorted spans, and a list of comments."""
    rows = [json.loads(line) for line in path.read_text(encoding="utf8").splitlines()]
    for number, row in enumerate(rows):
        labels = [span for span in row.pop("label") if span != [4, 5, "dis"]]
        row.update({"id": row.get("id", number), "label": sorted([*labels, [9, 11, "dis"]]), "Comments": []})
    path.write_text("".join(f"{json.dumps(row, ensure_ascii=False)}\n" for row in rows), encoding="utf8")


def corrected_labelstudio(path):
    """As Label Studio exports: an annotation beside the prediction, made from it."""
    tasks = json.loads(path.read_text(encoding="utf8"))
    for number, task in enumerate(tasks, 1):
        result = [dict(r, origin="prediction") for r in task["predictions"][0]["result"][:2]]
        for region in result:
            del region["score"]
        added = {"start": 9, "end": 11, "text": TEXT[9:11], "labels": ["dis"]}
        result.append(
            {"id": "x", "from_name": "label", "to_name": "text", "type": "labels", "value": added, "origin": "manual"}
        )
        task.update({"id": number, "annotations": [{"id": 5, "result": result, "was_cancelled": False}]})
    path.write_text(json.dumps(tasks, ensure_ascii=False), encoding="utf8")


def corrected_prodigy(path):
    """As db-out exports: hashes, tokens, and an answer."""
    rows = [json.loads(line) for line in path.read_text(encoding="utf8").splitlines()]
    for row in rows:
        del row["spans"][2]
        row["spans"].append({"start": 9, "end": 11, "label": "dis", "token_start": 9, "token_end": 10})
        row["tokens"] = [{"text": c, "start": i, "end": i + 1, "id": i} for i, c in enumerate(row["text"])]
        row.update({"_input_hash": 1, "_task_hash": 2, "_view_id": "spans_manual", "answer": "accept"})
    path.write_text("".join(f"{json.dumps(row, ensure_ascii=False)}\n" for row in rows), encoding="utf8")


def corrected_brat(path):
    ann = path / "n1.ann"
    kept = ann.read_text(encoding="utf8").splitlines()[:2]
    ann.write_text("".join(f"{line}\n" for line in [*kept, f"T9\tdis 9 11\t{TEXT[9:11]}"]), encoding="utf8")


def corrected_inception(path):
    """Offsets in UTF-16 units, of which the emoji and the rare character are two each."""
    file = path / "n1.json"
    cas = json.loads(file.read_text(encoding="utf8"))
    entity = next(
        i for i in cas["%FEATURE_STRUCTURES"] if (i.get("begin"), i.get("end"), i.get("value")) == (5, 7, "dis")
    )
    entity.update(begin=11, end=13)
    file.write_text(json.dumps(cas, ensure_ascii=False), encoding="utf8")


CORRECTED = {
    "doccano": corrected_doccano,
    "labelstudio": corrected_labelstudio,
    "prodigy": corrected_prodigy,
    "brat": corrected_brat,
    "inception": corrected_inception,
}


@pytest.mark.parametrize("tool", TOOLS)
def test_suggestions_come_back(tool, tmp_path):
    lost = write(tool, tmp_path, note(), note("无殊", [], id="n/2"))
    found = {record.id: record for record in back(tool, tmp_path)}
    assert set(found["n1"].entities) == set(NESTED) and found["n1"].text == TEXT
    assert found["n/2"].text == "无殊" and found["n/2"].entities == []
    assert found["n1"].meta.get("ward") == (None if tool == "brat" else 3)
    assert [p.detail for p in lost] == (["field 'ward'"] * 2 if tool == "brat" else [])


@pytest.mark.parametrize("tool", TOOLS)
def test_what_people_corrected_comes_back(tool, tmp_path):
    write(tool, tmp_path, note())
    CORRECTED[tool](tmp_path / NAMES[tool])
    (record,) = back(tool, tmp_path)
    assert set(record.entities) == {*NESTED[:2], Entity(9, 11, "dis")}
    assert (record.id, record.text) == ("n1", TEXT)
    assert tool == "brat" or record.meta["ward"] == 3


def test_label_studio_gets_predictions_with_scores_and_their_origin(tmp_path):
    write("labelstudio", tmp_path, note(), note("无殊", []))
    first, second = json.loads((tmp_path / "todo.json").read_text(encoding="utf8"))
    (prediction,) = first["predictions"]
    assert (prediction["model_version"], prediction["score"]) == ("mine 1.0", 0.75)
    assert [region["score"] for region in prediction["result"]] == [0.9, 0.8, 0.6]
    assert len({region["id"] for region in prediction["result"]}) == 3
    # A text without suggestions is not taken for annotated.
    assert second["predictions"][0]["result"] == [] and "annotations" not in {*first, *second}


def test_without_a_pipeline_there_are_no_predictions(tmp_path):
    write_tasks([note(suggested=[])], tmp_path / "todo.json", "labelstudio", FIELDS)
    assert json.loads((tmp_path / "todo.json").read_text(encoding="utf8")) == [
        {"data": {"id": "n1", "text": TEXT, "ward": 3}}
    ]


def test_fields_that_would_be_read_as_annotations_are_left_out_and_told(tmp_path):
    old = [{"start": 0, "end": 1, "label": "bod"}]
    fields = {"entities": old, "spans": old, "answer": "reject", "labelstudio": {"x": 1}, "id": 7}
    for tool in TOOLS:
        lost = [
            p.detail.split(":")[0] for p in write(tool, tmp_path / tool, note(**fields)) if "annotations" in p.detail
        ]
        wanted = ["field 'entities'", "field 'spans'", "field 'labelstudio'", *["field 'answer'"] * (tool == "prodigy")]
        assert sorted(lost) == sorted(wanted)
        (record,) = back(tool, tmp_path / tool)
        assert len(record.entities) == 3 and (tool == "brat" or record.id == "7")


def test_other_names_of_fields(tmp_path):
    document = Document("右肺", {"nr": "x1", "report": "右肺"}, "x1", "a line 1")
    write_tasks([ReadNote(document)], tmp_path / "a.jsonl", "doccano", FieldNames(text="report", id="nr", entities=""))
    assert json.loads((tmp_path / "a.jsonl").read_text(encoding="utf8")) == {"id": "x1", "text": "右肺", "label": []}


def test_brat_is_told_the_labels(tmp_path):
    write_tasks([note()], tmp_path / "todo", "brat", FIELDS, ["bod", "dis", "two words"], "mine")
    lines = (tmp_path / "todo" / "annotation.conf").read_text(encoding="utf8").splitlines()
    assert lines[lines.index("[entities]") + 1 : lines.index("[relations]")] == ["bod", "dis", ""]
    assert "<OVERLAP>\tArg1:<ENTITY>, Arg2:<ENTITY>, <OVL-TYPE>:<ANY>" in lines


def test_the_labelling_interface_names_what_the_tasks_name(tmp_path):
    root = ET.fromstring(
        labelling_interface(
            ["bod", 'a"<b'],
        )
    )
    write("labelstudio", tmp_path, note())
    (task,) = json.loads((tmp_path / "todo.json").read_text(encoding="utf8"))
    region = task["predictions"][0]["result"][0]
    assert root.find("Labels").get("name") == region["from_name"]
    assert root.find("Labels").get("toName") == root.find("Text").get("name") == region["to_name"]
    assert [label.get("value") for label in root.iter("Label")] == ["bod", 'a"<b']
    assert root.find("Text").get("value") == "$text" and "text" in task["data"]


@pytest.mark.parametrize(
    ("path", "name", "tool"),
    [
        ("a.jsonl", None, "doccano"),
        ("a.json", None, "labelstudio"),
        ("folder", None, "brat"),
        ("a.jsonl", "prodigy", "prodigy"),
        ("folder", "inception", "inception"),
    ],
)
def test_the_suffix_says_the_tool(path, name, tool):
    assert tool_for(Path(path), name) == tool


@pytest.mark.parametrize(
    ("path", "name", "message"),
    [
        ("a.csv", None, "the suffix tells no tool; name one of doccano"),
        ("a.jsonl", "webanno", "unknown tool 'webanno'; known are doccano"),
        ("a.jsonl", "labelstudio", "labelstudio takes a .json file"),
        ("a.json", "brat", "brat takes a folder"),
    ],
)
def test_paths_that_do_not_suit_a_tool(path, name, message):
    with pytest.raises(MedflatError, match=message):
        tool_for(Path(path), name)


def test_nothing_is_written_if_the_disk_is_full(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("spacy_medflat.selection.tasks.write_records", full)
    (tmp_path / "todo.json").write_text("old")
    with pytest.raises(OSError, match="No space left"):
        write("labelstudio", tmp_path, note())
    assert (tmp_path / "todo.json").read_text() == "old" and len(list(tmp_path.iterdir())) == 1
