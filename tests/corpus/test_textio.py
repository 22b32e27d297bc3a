import pytest

from spacy_medflat.corpus.record import CorpusError
from spacy_medflat.corpus.textio import decode, iter_lines, read_text

from .helpers import write


def test_error_names_file_line_and_byte():
    with pytest.raises(CorpusError, match=r"notes line 12: not UTF-8 \(byte 0xff\)"):
        decode("肺\n".encode() + b"\xff", "notes", first_line=11)


def test_only_newlines_end_a_line(tmp_path):
    path = write(tmp_path / "a", "一\u2028\x85\x0b二\r\n三\r四\n\n五")
    assert list(iter_lines(path)) == [(1, "一\u2028\x85\x0b二"), (2, "三\r四"), (3, ""), (4, "五")]


def test_text_is_read_as_it_stands(tmp_path):
    text = "\ufeff一\r\n二\r三\n"
    assert read_text(write(tmp_path / "a", text)) == text
