import pytest
from hypothesis import given
from hypothesis import strategies as st

from spacy_medflat.errors import TableError
from spacy_medflat.tables import check_word, fold, format_table, table_rows


def test_fold():
    assert fold("（－）ＡＢc：，\u3000？") == "(-)abc:, ?"


@given(st.text())
def test_folding_keeps_every_offset(text):
    assert len(fold(text)) == len(text)
    assert fold(fold(text)) == fold(text)


def test_rows_with_comments_blank_lines_and_a_byte_order_mark():
    text = "\ufeff# what it is\r\n\r\ncue\tcategory\r\n无\tabsent\r\n# 见\n\n见\n"
    assert list(table_rows(text, "x.tsv", ["cue", "category"])) == [
        ("x.tsv line 4", ["无", "absent"]),
        ("x.tsv line 7", ["见", "-"]),
    ]


@pytest.mark.parametrize("text", ["", "\n# only\n"])
def test_a_table_without_names(text):
    with pytest.raises(TableError, match=r"x\.tsv: no line of column names; begin with cue category"):
        list(table_rows(text, "x.tsv", ["cue", "category"]))


@pytest.mark.parametrize("head", ["无\tabsent", "category", "cue\tcue", "cue\tkind"])
def test_a_first_line_that_names_no_columns(head):
    with pytest.raises(TableError, match=r"x\.tsv line 1: the first line must name the columns"):
        list(table_rows(f"{head}\n", "x.tsv", ["cue", "category"]))


@pytest.mark.parametrize("word", ["", "-", " a", "a\tb", "a\nb", "\x00"])
def test_what_is_no_word(word):
    with pytest.raises(TableError, match=r"x line 1: .* is no cue"):
        check_word(word, "x line 1", "cue")


def test_format_table():
    assert format_table([("无", "absent")], ["cue", "category"]) == "cue\tcategory\n无\tabsent\n"
