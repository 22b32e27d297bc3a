import gzip
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spacy_medflat.encoder.pretraining import text_inputs
from spacy_medflat.encoder.pretraining.text_inputs import UNREADABLE, LeftOut, find_inputs, read_texts
from spacy_medflat.errors import MedflatError

from ...pipelines import ASSETS


def texts_of(path, **options):
    (found,) = find_inputs([str(path)], **options)
    left_out = LeftOut()
    return list(read_texts(found, left_out)), left_out


def test_a_file_of_lines_in_each_encoding_and_packed(tmp_path):
    lines = "患者咳嗽\r\n\n发热ABC\n"
    for name, data in {
        "utf8.txt": lines.encode(),
        "bom.txt": lines.encode("utf-8-sig"),
        "gbk.txt": lines.encode("gbk"),
        "utf16.txt": lines.encode("utf-16"),
        "packed.txt.gz": gzip.compress(lines.encode()),
    }.items():
        (tmp_path / name).write_bytes(data)
        texts, _ = texts_of(tmp_path / name)
        assert [text.strip() for text in texts if text.strip()] == ["患者咳嗽", "发热ABC"], name


@given(st.lists(st.text(alphabet="咳嗽a \r", max_size=40), max_size=9), st.integers(1, 12))
def test_lines_are_those_of_split_whatever_the_block(tmp_path_factory, lines, block):
    path = tmp_path_factory.mktemp("lines") / "notes.txt"
    path.write_bytes("\n".join(lines).encode())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(text_inputs, "_BLOCK", block)
        texts, _ = texts_of(path, encoding="utf-8")
    assert [text for text in texts if text] == [line for line in lines if line]


def test_a_line_without_an_end_is_read_in_pieces(tmp_path, monkeypatch):
    monkeypatch.setattr(text_inputs, "LONGEST", 100)
    monkeypatch.setattr(text_inputs, "_BLOCK", 64)
    (tmp_path / "long.txt").write_text("咳嗽痰" * 500 + "\n发热", encoding="utf8")
    texts, _ = texts_of(tmp_path / "long.txt")
    assert "".join(texts) == "咳嗽痰" * 500 + "发热" and max(map(len, texts)) <= 100 + 64


def test_objects_without_a_text_are_counted_with_the_place_of_the_first(tmp_path):
    lines = [json.dumps({"note": "咳嗽"}), '{"note": null}', "{", '{"note": "\\ud83d"}', "[]"]
    (tmp_path / "notes.jsonl").write_text("\n".join(lines), encoding="utf8")
    texts, left_out = texts_of(tmp_path / "notes.jsonl", field="note")
    assert texts == ["咳嗽"] and left_out.reasons == {UNREADABLE: 4}
    assert "line 2: field 'note' must be a string, but it is None" in left_out.first[UNREADABLE]


def test_parquet_and_an_annotated_corpus(tmp_path):
    arrow, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    parquet.write_table(arrow.table({"text": ["咳嗽", None]}), tmp_path / "notes.parquet")
    texts, left_out = texts_of(tmp_path / "notes.parquet")
    assert texts == ["咳嗽"] and left_out.reasons.total() == 1
    corpus = next((ASSETS / "corpus").glob("*.json"))
    texts, _ = texts_of(corpus)
    assert texts == [record["text"] for record in json.loads(corpus.read_text(encoding="utf8"))]


def test_a_folder_of_files_and_one_of_brat(tmp_path):
    (tmp_path / "a.txt").write_text("咳嗽\n发热", encoding="utf8")
    (tmp_path / "b.jsonl").write_text('{"text": "胸痛"}', encoding="utf8")
    assert texts_of(tmp_path)[0] == ["咳嗽", "发热", "胸痛"]
    (tmp_path / "b.jsonl").unlink()
    (tmp_path / "a.ann").write_text("T1\tsym 0 2\t咳嗽\n", encoding="utf8")
    assert texts_of(tmp_path)[0] == ["咳嗽\n发热"]


def test_weights(tmp_path):
    for name in "ab":
        (tmp_path / f"{name}=1.txt").write_text("咳嗽", encoding="utf8")
    names = [str(tmp_path / "a=1.txt"), str(tmp_path / "b=1.txt")]
    assert [found.weight for found in find_inputs(names, [f"{names[1]}=3"])] == [1, 3]


@pytest.mark.parametrize(
    ("names", "weights", "message"),
    [
        (["none.txt"], [], "none.txt: no such file"),
        (["-"], [], "can be read only once"),
        (["a.xyz"], [], "the suffix does not tell"),
        (["a.txt", "a.txt"], [], "given twice"),
        (["a.txt"], ["b.txt=2"], "none of the inputs"),
        (["a.txt"], ["a.txt=0"], "whole number from 1"),
        (["a.txt"], ["a.txt"], "expected NAME=TIMES"),
    ],
)
def test_inputs_that_cannot_be(tmp_path, monkeypatch, names, weights, message):
    monkeypatch.chdir(tmp_path)
    for name in ("a.txt", "a.xyz"):
        (tmp_path / name).write_text("咳嗽", encoding="utf8")
    with pytest.raises(MedflatError, match=message):
        find_inputs(names, weights)


@pytest.mark.parametrize("data", [gzip.compress("咳嗽发热\n".encode() * 9999)[:-20], b"\x1f\x8b\x08", b"no gzip"])
def test_a_damaged_file_is_named(tmp_path, data):
    (tmp_path / "cut.txt.gz").write_bytes(data)
    with pytest.raises(MedflatError, match=r"cut.txt.gz: "):
        texts_of(tmp_path / "cut.txt.gz")


def test_a_file_that_ends_inside_a_character(tmp_path):
    (tmp_path / "cut.txt").write_bytes("咳嗽\n".encode("utf-16") + b"\x00")
    with pytest.raises(MedflatError, match=r"cut.txt: damaged or cut off"):
        texts_of(tmp_path / "cut.txt")
