import gzip

import pytest

from spacy_medflat.errors import MedflatError
from spacy_medflat.scale import first_look
from spacy_medflat.scale.first_look import check_extras, check_first_texts
from spacy_medflat.scale.parse import parse
from spacy_medflat.scale.readers import Meter, read_items
from spacy_medflat.scale.run_settings import FieldNames
from spacy_medflat.scale.sources import find_sources


def look(path, fields=None, **settings):
    warnings = []
    check_first_texts(find_sources([str(path)], **settings), fields or FieldNames(), warnings.append)
    return warnings


def texts(path, **settings):
    return [parse(item, FieldNames()).text for item in read_items(find_sources([str(path)], **settings), Meter())]


def test_a_wrong_column_is_told_with_those_that_are_there(tmp_path):
    (tmp_path / "a.csv").write_text("nr,note\n1,咳嗽\n2,肺炎\n", "utf-8")
    message = r"a.csv line 2: no field 'text'; it has 'nr, note'; none of the first 2 texts can be read. See --text-f"
    with pytest.raises(MedflatError, match=message):
        look(tmp_path / "a.csv")
    assert look(tmp_path / "a.csv", FieldNames(text="note")) == []


def test_some_texts_that_cannot_be_read_are_left_to_the_run(tmp_path):
    (tmp_path / "a.jsonl").write_text('not JSON\n{"text": "肺"}\n', "utf-8")
    assert look(tmp_path / "a.jsonl") == []
    (tmp_path / "b.csv").write_text("nr\n1\n", "utf-8")
    assert look(tmp_path) == []
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / "a.jsonl").write_bytes(b"")
    assert look(tmp_path / "empty") == []


def test_encodings_of_a_folder_are_told_and_read_for_each_file(tmp_path):
    (tmp_path / "1.txt").write_text("右肺上叶腺癌", "gb18030")
    (tmp_path / "2.txt").write_text("右肺上叶腺癌", "utf-8")
    (tmp_path / "3.txt").write_text("右肺上叶腺癌", "utf-16")
    (tmp_path / "4.csv").write_text("text\n右肺上叶腺癌\n", "gb18030")
    (tmp_path / "5.jsonl").write_text('{"text": "右肺上叶腺癌"}\n', "gbk")
    (tmp_path / "6.txt.gz").write_bytes(gzip.compress("右肺上叶腺癌".encode("gbk")))
    assert texts(tmp_path) == ["右肺上叶腺癌"] * 6
    assert look(tmp_path) == [
        "4 files of the first 6 not in UTF-8, read as GB18030; --encoding names another",
        "1 file of the first 6 not in UTF-8, read as UTF-16; --encoding names another",
    ]


def test_a_named_encoding_is_not_detected(tmp_path):
    (tmp_path / "1.txt").write_text("右肺\n上叶", "gb18030")
    assert texts(tmp_path, encoding="GBK") == ["右肺\n上叶"] and look(tmp_path, encoding="gbk") == []
    assert texts(tmp_path, encoding="gbk", kind="lines") == ["右肺", "上叶"]
    with pytest.raises(MedflatError, match=r"1\.txt line 1: not UTF-8"):
        look(tmp_path, encoding="utf-8")
    with pytest.raises(MedflatError, match="unknown encoding 'gb9'"):
        look(tmp_path, encoding="gb9")


def test_missing_packages_are_told(monkeypatch, tmp_path):
    (tmp_path / "a.parquet").touch()
    sources = find_sources([str(tmp_path / "a.parquet")])
    monkeypatch.setattr(first_look, "find_spec", lambda module: None)
    with pytest.raises(MedflatError, match=r"Parquet needs pyarrow: pip install 'spacy-medflat\[parquet\]'"):
        check_extras(sources, "jsonl", "local")
    with pytest.raises(MedflatError, match="Parquet needs pyarrow"):
        check_extras([], "parquet", "local")
    with pytest.raises(MedflatError, match="the engine ray needs ray"):
        check_extras([], "jsonl", "ray")
    check_extras([], "jsonl", "local")
