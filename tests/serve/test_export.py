import io
import zipfile

import pytest

from spacy_medflat.corpus.formats.registry import read_records
from spacy_medflat.serve.export import EXPORTS, export
from spacy_medflat.serve.schema import RecordFields, SpanFields

TEXT = "右肺上叶腺癌 <script>"
RECORDS = [
    RecordFields(
        id="n1",
        text=TEXT,
        entities=[SpanFields(start=0, end=4, label="bod"), SpanFields(start=0, end=6, label="dis")],
        unknown=[SpanFields(start=4, end=6, label="dis")],
    ),
    RecordFields(id="../../etc/passwd", text="无殊"),
]


@pytest.mark.parametrize("form", EXPORTS)
def test_every_format_can_be_read_again(form, tmp_path):
    made = export(RECORDS, form)
    path = tmp_path / f"corrections.{EXPORTS[form].suffix}"
    if form == "brat":
        with zipfile.ZipFile(io.BytesIO(made.data)) as archive:
            assert all(".." not in name and not name.startswith("/") for name in archive.namelist())
            archive.extractall(tmp_path / "brat")
        path = tmp_path / "brat"
    else:
        path.write_bytes(made.data)
    found = {record.text: record for record in read_records(path, form)}
    assert {(e.start, e.end, e.label) for e in found[TEXT].entities} == {(0, 4, "bod"), (0, 6, "dis")}
    assert found["无殊"].entities == []
    keeps_all = form == "jsonl"
    assert bool(found[TEXT].unknown) == keeps_all and (made.left_out == 0) == keeps_all


def test_the_same_records_give_the_same_bytes():
    assert export(RECORDS, "brat") == export(RECORDS, "brat")


def test_what_a_format_cannot_hold_is_counted():
    record = RecordFields(text="咳嗽", entities=[SpanFields(start=0, end=2, label="two words")])
    assert export([record], "brat").left_out == 1
