import pytest

from spacy_medflat.values.terms import Term
from spacy_medflat.values.vocabulary import Vocabulary

from .helpers import TERMS


@pytest.mark.parametrize(
    ("text", "per_day"),
    [
        ("qd", "1"),
        ("tid", "3"),
        ("qod", "0.5"),
        ("q8h", "3"),
        ("q12小时", "2"),
        ("每日3次", "3"),
        ("每日 三 次", "3"),
        ("一日2-3次", "2.5"),
        ("3次/日", "3"),
        ("每8小时一次", "3"),
        ("每周2次", "0.285714"),
        ("每2日1次", "0.5"),
        ("q3w", "0.047619"),
        ("早晚各1次", "2"),
        ("prn", "-"),
    ],
)
def test_frequencies(text, per_day):
    found = TERMS.at(text, "frequency", 0, len(text))
    assert found == (0, len(text), per_day)


def test_every_frequency_of_the_package_is_found():
    from spacy_medflat.values.terms import shipped_terms

    for row in shipped_terms():
        if row.kind == "frequency":
            text = row.term.lower().replace("{n}", "2").replace("{p}", "4")
            found = TERMS.at(text, "frequency", 0, len(text))
            assert found and found.end == len(text), text


def test_a_latin_term_does_not_end_within_a_word():
    assert TERMS.at("months", "unit", 0, 6) is None
    assert TERMS.at("mgtid", "unit", 0, 5) == (0, 2, "mg")
    assert TERMS.at("bidx", "frequency", 0, 4) is None


def test_blanks_in_brackets():
    assert TERMS.at("( ++ )", "result", 0, 6) == (0, 6, "2+")


def test_a_single_character_is_no_direction_within_a_word():
    assert TERMS.at("高峰", "direction", 0, 2) is None
    assert TERMS.at("高，", "direction", 0, 2) == (0, 1, "high")


def test_terms_before_a_place():
    assert TERMS.before("予静脉滴注", "route", 0, 5) == (1, 5, "intravenous_drip")
    assert TERMS.before("每日2次", "frequency", 0, 4) == (0, 4, "2")
    assert TERMS.before("xpo", "route", 0, 3) is None


def test_a_division_by_what_a_text_says_is_nought():
    assert TERMS.at("q0h", "frequency", 0, 3) == (0, 3, "-")


def test_an_empty_table():
    empty = Vocabulary([])
    assert empty.at("mg", "unit", 0, 2) is None and empty.before("po", "route", 0, 2) is None
    assert Vocabulary([Term("格", "unit", "{grid}")]).at("格", "unit", 0, 1) == (0, 1, "{grid}")
