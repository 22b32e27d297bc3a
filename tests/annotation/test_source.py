"""Reading source files."""

from annotation.source import read_source


def test_lines_and_remarks(tmp_path):
    path = tmp_path / "textbook.txt"
    path.write_text("# a remark\n\ntextbook\tpaediatrics\t{dis:麻疹}可防。\r\n", encoding="utf8")
    [record], faults = read_source(path)
    assert record.text == "麻疹可防。"
    assert record.meta == {"kind": "textbook", "department": "paediatrics", "line": 3}
    assert record.place == "textbook.txt line 3"
    assert not faults


def test_lines_that_cannot_be_read_are_reported(tmp_path):
    path = tmp_path / "textbook.txt"
    lines = [
        "textbook\t麻疹。",
        "novel\tgeneral\t麻疹。",
        "textbook\tzoo\t麻疹。",
        "textbook\tgeneral\t 麻疹。",
        "textbook\tgeneral\t{dis:麻疹。",
    ]
    path.write_text("\n".join(lines), encoding="utf8")
    records, faults = read_source(path)
    assert not records
    assert [fault.line for fault in faults] == [1, 2, 3, 4, 5]
    for fault, part in zip(faults, ["2 fields", "no kind", "no department", "white space", "{ without }"], strict=True):
        assert part in str(fault)
