"""Sources, readers and parser together: files to documents."""

import csv
import gzip
import io
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spacy_medflat.corpus.formats.docbin import write_docbin
from spacy_medflat.errors import MedflatError, SourceError
from spacy_medflat.scale.items import Document, Failure
from spacy_medflat.scale.parse import parse
from spacy_medflat.scale.readers import Meter, read_items
from spacy_medflat.scale.run_settings import FieldNames
from spacy_medflat.scale.sources import find_sources, fingerprint

from ..corpus.helpers import tumour, write
from ..corpus.strategies import ANY_CHARACTER

FIELDS = FieldNames()


def read(*inputs, kind=None, names=FIELDS):
    items = read_items(find_sources([str(path) for path in inputs], kind), Meter())
    return [parse(item, names) for item in items]


def test_lines_of_any_size_with_byte_order_mark_and_windows_ends(tmp_path):
    long = "肺" * 300_000
    path = write(tmp_path / "a.jsonl", f'\ufeff{{"text": "肺", "id": 3}}\r\n \n\n{{"text": "{long}"}}')
    first, second = read(path)
    assert first == Document("肺", {"text": "肺", "id": 3}, 3, f"{path} line 1")
    assert (second.text, second.id, second.place) == (long, None, f"{path} line 4")


def test_other_names_of_fields(tmp_path):
    path = write(tmp_path / "a.jsonl", '{"report": "肺", "nr": "x", "text": 7, "entities": []}')
    (found,) = read(path, names=FieldNames(text="report", id="nr", entities="found"))
    assert (found.text, found.id, [*found.fields]) == ("肺", "x", ["report", "nr", "text", "entities"])


CELLS = st.text(ANY_CHARACTER.filter(lambda char: char != "\x00"), max_size=12)


@given(table=st.lists(st.tuples(CELLS, CELLS), max_size=4), suffix=st.sampled_from(["csv", "tsv"]))
def test_csv_with_quotes_commas_and_newlines(table, suffix, tmp_path_factory):
    path = tmp_path_factory.getbasetemp() / f"a.{suffix}"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, delimiter="\t" if suffix == "tsv" else ",")
        writer.writerows([("id", "text"), *table])
    assert [(row.id, row.text) for row in read(path)] == table


def test_bad_rows_of_csv_do_not_stop_it(tmp_path):
    lines = ["id,text", '1,"两\n行"', "2", '3,"坏"坏', "4,好", "5,a,b", "", '6,"未完']
    data = "\n".join(lines).encode() + b"\n"
    path = write(tmp_path / "a.csv", data.replace("4,好".encode(), b"4,\xba\xc3\n7,ok"))
    found = read(path)
    assert [row.id for row in found if isinstance(row, Document)] == ["1", "7"]
    failures = [row for row in found if isinstance(row, Failure)]
    assert [(f.place.rsplit(maxsplit=1)[1], f.reason.split(":")[0]) for f in failures] == [
        ("4", "1 values, but the header has 2 names"),
        ("5", "not CSV"),
        ("6", "bytes that are not UTF-8, or half a surrogate pair, at '\\udcba'"),
        ("8", "3 values, but the header has 2 names"),
        ("10", "not CSV"),
    ]
    assert failures[2].id == "4"


def test_a_quote_that_nothing_closes_does_not_swallow_the_rest(tmp_path):
    lines = ["id,text", "1,好", '2,"坏', *(f"{i},好" for i in range(3, 100))]
    with pytest.raises(SourceError, match=r"a\.csv line 3: not CSV: .* the 97 lines after it cannot be told apart"):
        read(write(tmp_path / "a.csv", "\n".join(lines)))
    found = read(write(tmp_path / "b.csv", "\n".join([*lines, '100,"好"'])))
    assert [row.reason for row in found if isinstance(row, Failure)] == [
        "not CSV: ',' expected after '\"'; it is lines 3 to 101"
    ]


@pytest.mark.parametrize(
    ("content", "message"),
    [("", "the file is empty"), ("text,text\n", "the header has 'text' twice"), ('"a"b,c\n', "line 1: not CSV")],
)
def test_bad_headers(content, message, tmp_path):
    with pytest.raises(MedflatError, match=message):
        read(write(tmp_path / "a.csv", content))


def test_a_folder_of_texts(tmp_path):
    (tmp_path / "ward").mkdir()
    write(tmp_path / "ward" / "2.txt", "肺\r\n")
    write(tmp_path / "1.txt.gz", gzip.compress("肝".encode()))
    write(tmp_path / "3.txt", b"\xb7")
    write(tmp_path / "1.ann", "")
    write(tmp_path / "_errors.jsonl", "{}")
    one, bad, two = read(tmp_path)
    assert (one.fields, two.fields) == ({"id": "1", "text": "肝"}, {"id": "ward/2", "text": "肺\r\n"})
    assert "not UTF-8" in bad.reason and bad.place == (tmp_path / "3.txt").as_posix()


def test_a_text_that_cannot_be_read_does_not_stop_its_folder(tmp_path):
    write(tmp_path / "1.txt.gz", b"rubbish")
    write(tmp_path / "2.txt", "肺")
    sources = find_sources([str(tmp_path)])
    write(tmp_path / "3.txt", "肝")
    sources += find_sources([str(tmp_path / "3.txt")])
    (tmp_path / "3.txt").unlink()
    found = [parse(item, FIELDS) for item in read_items(sources, Meter())]
    assert [type(row) for row in found] == [Failure, Document, Failure]
    assert "cannot be read" in found[0].reason and "No such file" in found[2].reason


def test_lines_of_text_arrays_and_docbin(tmp_path):
    assert [row.text for row in read(write(tmp_path / "a.txt", "肺\n\n肝\n"), kind="lines")] == ["肺", "肝"]
    (row,) = read(write(tmp_path / "a.json", '[{"text": "肺", "n": 1}]'))
    assert (row.fields, row.place) == ({"text": "肺", "n": 1}, f"{tmp_path / 'a.json'} record 1")
    write_docbin([tumour(id="n1", meta={"ward": [1, {"a": None}]})], tmp_path / "a.spacy")
    (row,) = read(tmp_path / "a.spacy")
    assert row.fields == {"id": "n1", "text": tumour().text, "ward": [1, {"a": None}]}
    with pytest.raises(MedflatError, match="not a spaCy DocBin"):
        read(write(tmp_path / "b.spacy", b"x"))


def test_standard_input(monkeypatch):
    for kind, text in (("jsonl", '{"text": "肺"}\n'), ("lines", "肺\n")):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text.encode())))
        (row,) = read("-", kind=kind)
        assert (row.text, row.place) == ("肺", "standard input line 1")


@pytest.mark.parametrize(
    ("inputs", "kind", "message"),
    [
        (["none.jsonl"], None, "none.jsonl: no such file or folder"),
        (["a.xyz"], None, "the suffix does not tell the kind of input"),
        (["empty"], None, "nothing to read in this folder"),
        (["a.xyz"], "xml", "unknown kind of input 'xml'"),
        (["-", "-"], None, "only once"),
        (["a.parquet.gz"], None, "parquet cannot be read packed"),
    ],
)
def test_inputs_that_do_not_fit(inputs, kind, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("empty").mkdir()
    for name in ("a.xyz", "a.parquet.gz"):
        Path(name).touch()
    with pytest.raises(MedflatError, match=message):
        find_sources(inputs, kind)


def test_files_in_order_with_their_position(tmp_path):
    for name in ("b", "a"):
        write(tmp_path / f"{name}.jsonl", f'{{"text": "{name}"}}\n' * 2)
    meter = Meter()
    sources = find_sources([str(tmp_path / "b.jsonl"), str(tmp_path / "a.jsonl")])
    texts = [parse(item, FIELDS).text for item in read_items(sources, meter)]
    assert texts == ["b", "b", "a", "a"]
    assert meter.position() == sum(source.bytes for source in sources)


def test_the_fingerprint_tells_contents_and_files_apart(tmp_path):
    write(tmp_path / "a.jsonl", "{}\n")

    def mark():
        return fingerprint([str(tmp_path)], find_sources([str(tmp_path)]))

    first = mark()
    assert mark() == first and (first["files"], first["bytes"]) == (1, 3)
    write(tmp_path / "a.jsonl", "{}\n\n")
    assert mark() != first
    write(tmp_path / "b.jsonl", "")
    assert mark()["files"] == 2
