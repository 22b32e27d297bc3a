import pytest

from spacy_medflat.errors import TableError
from spacy_medflat.values.terms import Term, format_terms, merge_terms, parse_terms, shipped_terms


def test_the_table_of_the_package_comes_back():
    rows = list(shipped_terms())
    assert parse_terms(format_terms(rows), "x") == rows
    assert len({row.kind for row in rows}) == 11


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ("格\tunits\tg", "unknown kind 'units'; known are unit"),
        ("格\tunit", "'格' has no value; write its UCUM code"),
        ("格\troute", "write its route in a word"),
        ("↗\tdirection\tup", "unknown direction 'up'; known are high, low, normal"),
        ("约等于\tcomparator\t~", "unknown comparator '~'"),
        ("似阳\tresult\tmaybe", "unknown result 'maybe'"),
        ("每{n}次\tfrequency\tn*x", "is no number of times a day"),
        ("每{n}次\tfrequency\t1/0", "is no number of times a day"),
        ("每{n}次\tfrequency\t24/p", r"'24/p' needs \{p\} in the term"),
        ("mg\tunit\tmg\nＭＧ\tunit\tmg", "'ＭＧ' is a unit already in line 2; remove one"),
    ],
)
def test_rows_that_cannot_be_used(row, says):
    with pytest.raises(TableError, match=rf"x\.tsv line [23]: .*{says}"):
        parse_terms(f"term\tkind\tvalue\n{row}\n", "x.tsv")


def test_merging():
    first = [Term("mg", "unit", "mg"), Term("h", "route", "subcutaneous"), Term("h", "direction", "high")]
    assert merge_terms(first, [Term("ＭＧ", "unit", "{other}")])[-0] == Term("ＭＧ", "unit", "{other}")
    assert merge_terms(first, [Term("H", "none")]) == first[:1]
