from time import perf_counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spacy_medflat.values.find import find_values
from spacy_medflat.values.terms import Term, merge_terms, shipped_terms
from spacy_medflat.values.vocabulary import Vocabulary

from .helpers import TERMS, marked, said, values


def test_a_value_never_crosses_another_entity():
    assert [said(value) for value in values("{血红蛋白|ite}、{白细胞|ite}12")] == [None, {"numbers": (12,)}]
    assert values("{血红蛋白|ite}{头痛|sym}12") == [None, None]
    assert [said(value) for value in values("{T|ite}36.5{P|ite}80")] == [{"numbers": (36.5,)}, {"numbers": (80,)}]


def test_entities_that_are_parts_of_a_value_are_none_in_between():
    dose = {"numbers": (2.0,), "ucum": "g", "route": "intravenous_drip", "per_day": 1.0}
    assert said(values("{头孢|dru}2g{静滴|pro}qd")[0]) == dose


def test_what_a_drug_has_used_is_not_that_of_the_next():
    one, two = values("{青霉素|dru}80万U 口服 {布洛芬|dru}0.3g")
    assert said(one)["route"] == "oral" and said(two) == {"numbers": (0.3,), "ucum": "g"}


def test_drugs_that_are_given_together():
    one, two, three = values("5%{葡萄糖|dru}250ml+{维C|dru}2g+10%{氯化钾|dru}10ml静滴qd")
    assert {value.route for value in (one, two, three)} == {"intravenous_drip"}
    assert {value.per_day for value in (one, two, three)} == {1}
    assert (one.strength, two.strength, three.strength) == ("5%", None, "10%")


def test_inner_entities_and_two_labels_on_the_same_characters():
    text, spans = marked("{血红蛋白降低|sym}")
    inner = (0, 4, "ite")
    assert [said(value) for value in find_values(text, [*spans, inner], TERMS, ["ite"], ["dru"])] == [
        None,
        {"direction": "low"},
    ]
    found = find_values("钙0.3g", [(0, 1, "ite"), (0, 1, "dru"), (0, 1, "bod")], TERMS, ["ite"], ["dru"])
    assert said(found[0]) == said(found[1]) == {"numbers": (0.3,), "ucum": "g"} and found[2] is None


def test_terms_of_ones_own():
    rows = merge_terms(
        shipped_terms(), [Term("格", "unit", "{grid}"), Term("g", "none"), Term("↗", "direction", "high")]
    )
    one, two = values("{眼压|ite}3格↗，{血红蛋白|ite}92g", Vocabulary(rows))
    assert said(one) == {"numbers": (3,), "ucum": "{grid}", "direction": "high"} and two is None


def test_spans_outside_of_the_text_have_no_value():
    assert find_values("体温39", [(0, 9, "ite"), (3, 2, "ite"), (-1, 2, "ite")], TERMS, ["ite"], []) == [None] * 3


ALPHABET = st.sampled_from(
    [*"0123456789.,，、。+-*×^/%()（）:：~～ \n体温片次日每gmlqdhHL↑↓阳阴性约为", "10^9", "mmHg", "tid"]
)


@given(st.lists(ALPHABET, max_size=60), st.data())
def test_parts_are_the_text_at_their_offsets(pieces, data):
    text = "".join(pieces)
    places = st.tuples(st.integers(0, len(text)), st.integers(0, len(text)), st.sampled_from(["ite", "dru", "dis"]))
    spans = data.draw(st.lists(places, max_size=5))
    for (start, end, _), value in zip(spans, find_values(text, spans, TERMS, ["ite"], ["dru"]), strict=True):
        if value is None:
            continue
        assert value.parts
        for part in value.parts:
            assert text[part.start : part.end] == part.text and part.text
            assert part.end <= start or part.start >= end


@pytest.mark.parametrize(
    "piece", ["{体温|ite}39℃，", "{体温|ite}", "{头孢|dru}0.5g", "{头孢|dru}+", "{体温|ite}" + "1" * 200]
)
def test_the_time_is_linear(piece):
    text, spans = marked(piece * 2_000)
    begun = perf_counter()
    find_values(text, spans, TERMS, ["ite"], ["dru"])
    assert perf_counter() - begun < 10


@pytest.mark.parametrize(
    "tail", ["1" * 50_000, "(" * 50_000, " " * 50_000, "-" * 50_000, "约" * 50_000, "1/" * 50_000, "每" * 50_000]
)
def test_no_text_is_catastrophic(tail):
    begun = perf_counter()
    find_values("体温" + tail, [(0, 2, "ite")], TERMS, ["ite"], [])
    find_values(tail + "体温", [(len(tail), len(tail) + 2, "dru")], TERMS, [], ["dru"])
    assert perf_counter() - begun < 2
