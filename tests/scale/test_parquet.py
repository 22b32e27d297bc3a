import json
from datetime import datetime, timezone
from decimal import Decimal

import pytest

pa = pytest.importorskip("pyarrow", reason="Parquet needs pyarrow")
import pyarrow.parquet as pq  # noqa: E402

from spacy_medflat.errors import MedflatError  # noqa: E402

from .archives import expected, read_lines, rows, run, spans_of, write_lines  # noqa: E402

pytestmark = pytest.mark.usefixtures("fast")
ENTITY = "list<element: struct<start: int32, end: int32, label: string, score: float, text: string>>"


def test_entities_are_a_nested_column(ruler, tmp_path):
    archive = write_lines(tmp_path / "notes.jsonl", rows(7))
    run(archive, tmp_path / "out.parquet", ruler)
    run(archive, tmp_path / "out", ruler, target="parquet")
    table = pq.read_table(tmp_path / "out.parquet")
    assert str(table.schema.field("entities").type) == ENTITY
    found = table.to_pylist()
    assert [row["id"] for row in found] == [row["id"] for row in rows(7)]
    assert all(spans_of(row) == expected(row["text"]) for row in found)
    assert [json.loads(row["ward"]) for row in found] == [row["ward"] for row in rows(7)]
    # What begins with _ is not read as a part.
    assert pq.read_table(tmp_path / "out").to_pylist() == found


VALUES = {
    "int": [1, None, 2, -5],
    "double": [1, 2.5, None, 2],
    "large": [1, 2**62, 3, None],
    "too_large": [1, 2**70, 3, None],
    "not_exact": [0.5, 2**62, 3, None],
    "bool": [True, None, False, None],
    "string": ["肺", None, "", "x"],
    "mixed": [1, "x", True, None],
    "nested": [[1], {"a": None}, None, 1.5],
    "null": [None] * 4,
}
JSON_TEXT = {"too_large", "not_exact", "mixed", "nested"}
TYPES = {"int": "int64", "double": "double", "large": "int64", "bool": "bool", "string": "string", "null": "null"}


@pytest.mark.parametrize("buffer", [1, 2, 4])
def test_columns_hold_every_value_however_the_parts_are_cut(buffer, ruler, tmp_path):
    values = [{"text": "咳嗽", **{name: column[i] for name, column in VALUES.items()}} for i in range(4)]
    del values[0]["string"]
    values[0]["double"] = 1
    archive = write_lines(tmp_path / "notes.jsonl", values)
    for output in ("out.parquet", "out"):
        run(archive, tmp_path / output, ruler, buffer=buffer, target="parquet")
        table = pq.read_table(tmp_path / output)
        for name, column in VALUES.items():
            found = table.column(name).to_pylist()
            if name in JSON_TEXT:
                found = [None if value is None else json.loads(value) for value in found]
            assert found == ([None, *column[1:]] if name == "string" else column), name
            assert str(table.schema.field(name).type) == TYPES.get(name, "string"), name
    schemas = {str(pq.read_schema(path)) for path in (tmp_path / "out").glob("part-*")}
    assert len(schemas) == 1


@pytest.fixture
def typed(tmp_path):
    table = pa.table(
        {
            "id": pa.array([1, 2], pa.int32()),
            "text": ["咳嗽", "右肺"],
            "when": pa.array([datetime(2024, 5, 1, 8, tzinfo=timezone.utc), None], pa.timestamp("ms", "UTC")),
            "dose": pa.array([Decimal("0.10"), None], pa.decimal128(6, 2)),
            "tags": pa.array([["a"], []], pa.list_(pa.string())),
            "raw": [b"\xff", b""],
        }
    )
    pq.write_table(table, tmp_path / "in.parquet", row_group_size=1)
    return tmp_path / "in.parquet"


def test_parquet_to_parquet_keeps_all_types(typed, ruler, tmp_path):
    run(typed, tmp_path / "out.parquet", ruler, buffer=1)
    found = pq.read_table(tmp_path / "out.parquet")
    assert found.drop_columns("entities").equals(pq.read_table(typed))
    assert [spans_of(row) for row in found.to_pylist()] == [{(0, 2, "sym")}, {(0, 2, "bod")}]


def test_parquet_to_json(typed, ruler, tmp_path):
    run(typed, tmp_path / "out.jsonl", ruler)
    first, second = read_lines(tmp_path / "out.jsonl")
    assert (first["when"], first["dose"], first["raw"]) == ("2024-05-01T08:00:00+00:00", "0.10", "/w==")
    assert (second["id"], second["when"], second["tags"]) == (2, None, [])


def test_parquet_beside_other_inputs(typed, ruler, tmp_path):
    lines = write_lines(tmp_path / "notes.jsonl", [{"id": "x", "text": "咳嗽", "dose": 1.5}])
    run([typed, lines], tmp_path / "out.parquet", ruler)
    found = pq.read_table(tmp_path / "out.parquet").to_pylist()
    assert [json.loads(row["id"]) for row in found] == [1, 2, "x"]
    assert [json.loads(row["dose"]) if row["dose"] else None for row in found] == ["0.10", None, 1.5]


def test_parquet_files_that_do_not_go_together(typed, ruler, tmp_path):
    other = tmp_path / "other.parquet"
    pq.write_table(pa.table({"text": ["肺"], "tags": [7]}), other)
    with pytest.raises(MedflatError, match="do not have the same fields"):
        run([typed, other], tmp_path / "out.parquet", ruler)
    pq.write_table(pa.table({"text": ["肺"], "entities": [7]}), other)
    with pytest.raises(MedflatError, match=r"has a field 'entities'; name another with --entities-field"):
        run(other, tmp_path / "out.parquet", ruler)
    other.write_bytes(b"rubbish")
    with pytest.raises(MedflatError, match=r"other.parquet: not Parquet, or damaged"):
        run(other, tmp_path / "out.jsonl", ruler)


@pytest.mark.parametrize("output", ["out.parquet", "out"])
def test_what_is_said_about_entities_is_in_their_column(output, judge, tmp_path):
    # Parts of one text: in the first and the last nothing is found.
    texts = ["无殊", "无咳嗽", "父亲有右肺上叶腺癌", "好"]
    archive = write_lines(tmp_path / "notes.jsonl", [{"text": text} for text in texts])
    run(archive, tmp_path / output, judge, buffer=1, target="parquet")
    table = pq.read_table(tmp_path / output)
    cues = "cues: list<element: struct<start: int32, end: int32, text: string, value: string>>"
    said = f"assertion: string, experiencer: string, temporality: string, {cues}"
    assert str(table.schema.field("entities").type) == f"{ENTITY[:-2]}, {said}>>"
    found = table.column("entities").to_pylist()
    assert [len(entities) for entities in found] == [0, 1, 3, 0]
    assert (found[1][0]["assertion"], found[1][0]["temporality"]) == ("absent", "current")
    assert found[1][0]["cues"] == [{"start": 0, "end": 1, "text": "无", "value": "absent"}]
    assert {entity["experiencer"] for entity in found[2]} == {"family"}


def test_values_and_codes_are_in_the_column_of_entities(coder, tmp_path):
    # Parts of one text; only some have a value or a code.
    texts = ["无殊", "咳嗽阳性", "右肺上叶腺癌", "咳嗽"]
    archive = write_lines(tmp_path / "notes.jsonl", [{"text": text} for text in texts])
    run(archive, tmp_path / "out.parquet", coder, buffer=1, target="parquet")
    found = pq.read_table(tmp_path / "out.parquet").column("entities").to_pylist()
    assert found[1][0]["value"]["result"] == "positive" and found[1][0]["codes"] is None
    assert found[1][0]["value"]["parts"] == [{"part": "result", "start": 2, "end": 4, "text": "阳性"}]
    (disease,) = [entity for entity in found[2] if entity["label"] == "dis"]
    code = {"code": "C34.1", "name": "肺上叶腺癌", "score": 1.0, "how": "normalised", "side": "right"}
    assert disease["codes"] == [code]
    assert disease["value"] is None and "assertion" not in disease
    run(archive, tmp_path / "out.jsonl", coder, buffer=1, target="jsonl")
    lines = read_lines(tmp_path / "out.jsonl")
    assert lines[1]["entities"][0]["value"]["result"] == "positive" and "value" not in lines[3]["entities"][0]
