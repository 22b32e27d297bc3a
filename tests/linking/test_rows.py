import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spacy_medflat.errors import TableError
from spacy_medflat.linking.rows import CodeRow, format_codes, merge_codes, parse_codes

ROWS = [CodeRow("I10.x00", "高血压", ("高血压病", "HTN"), ("dis",)), CodeRow("R05", "咳嗽")]


def test_a_table_comes_back():
    assert parse_codes(format_codes(ROWS), "x") == ROWS


_CELLS = st.text(st.characters(exclude_categories=["C", "Z"], exclude_characters="|｜,\t"), min_size=1, max_size=8)


@given(
    st.lists(
        st.builds(CodeRow, _CELLS, _CELLS, st.lists(_CELLS, max_size=3, unique=True).map(tuple), st.just(())),
        min_size=1,
        max_size=5,
    )
)
def test_any_rows_come_back(rows):
    unique = list({(row.code, row.name): row for row in rows}.values())
    assert parse_codes(format_codes(unique), "x") == unique


@pytest.mark.parametrize(
    "text",
    [
        "code\tname\nI10\t高血压\n",
        "\ufeffcode,name\r\nI10,高血压\r\n",
        '"疾病编码","疾病名称"\n"I10","高血压"\n',
        "序号;编码;名称\n1;I10;高血压\n",
        "\n\ncode , Name\n\n I10 , 高血压 \n\n",
        "name\tlabel\tcode\n高血压\t\tI10",
    ],
)
def test_tables_as_hospitals_have_them(text):
    assert parse_codes(text, "x") == [CodeRow("I10", "高血压")]


def test_line_ends_in_a_row_do_not_break_the_table():
    assert parse_codes(format_codes([CodeRow("I10\n", "高\t血压", ("a\nb",))]), "x") == [
        CodeRow("I10", "高 血压", ("a b",))
    ]


def test_quotes_and_commas_in_cells():
    assert parse_codes('code,name\nI63,"脑梗死,未特指"\n', "x")[0].name == "脑梗死,未特指"
    assert parse_codes('code\tname\nI63\t"脑梗死\n', "x")[0].name == '"脑梗死'


def test_several_names_of_one_code_stay_and_the_same_row_twice_is_one():
    text = "code\tname\tsynonyms\nI10\t高血压\tA|B\nI10\t原发性高血压\t\nI10\t高血压\tB|C\n"
    assert parse_codes(text, "x") == [CodeRow("I10", "高血压", ("A", "B", "C")), CodeRow("I10", "原发性高血压")]


def test_bad_rows_are_skipped_counted_and_told(caplog):
    text = "code\tname\nI10\t高血压\n\t无码\nR05\nR06\t呼吸困难\nR50\t发热\n"
    with caplog.at_level(logging.WARNING, "spacy"):
        assert [row.code for row in parse_codes(text, "my.tsv")] == ["I10", "R06", "R50"]
    (record,) = caplog.records
    assert record.getMessage().startswith("my.tsv: skipped 2 rows without a code or a name: line 3: ")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", r"my\.csv: empty; begin with a line of column names"),
        ("\n \n", r"my\.csv: empty"),
        ("code,name\n", r"my\.csv: no row but the first"),
        ("I10,高血压\n", r"my\.csv line 1: the first line must name the columns code and name"),
        ("code,label\nI10,dis\n", r"line 1: the first line must name"),
        ("code,编码,name\nI10,I10,高血压\n", r"line 1: two columns for code"),
        ("code,name\nI10,\nI11,\nI12,高血压\n", r"my\.csv: 2 rows without a code or a name, as line 2"),
        ('code,name\nI10,"高血压\nI11,心脏病\n', r"my\.csv line 2: a quote that does not end on this line"),
    ],
)
def test_tables_that_cannot_be_used(text, says):
    with pytest.raises(TableError, match=says):
        parse_codes(text, "my.csv")


def test_merging_tables_with_the_same_codes():
    added = [CodeRow("I10.x00", "高血压", ("血压高",)), CodeRow("I10.x00", "原发性高血压"), CodeRow("R06", "气促")]
    merged = merge_codes(ROWS, added)
    assert merged == [ROWS[1], *added]
