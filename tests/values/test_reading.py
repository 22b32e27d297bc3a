from hypothesis import given
from hypothesis import strategies as st

from spacy_medflat.values.attributes import Part
from spacy_medflat.values.quantities import quantity_at
from spacy_medflat.values.reading import Reading, folded

from .helpers import TERMS


@given(st.text())
def test_folding_keeps_every_offset(text):
    assert len(folded(text)) == len(text)


def test_a_chinese_comma_is_none_of_a_number():
    assert folded("１，２００") == "1，200"


def test_what_is_taken_stands_in_the_order_of_the_text():
    text = "体温39.2 ℃ tid"
    reading = Reading(folded(text), text, TERMS)
    assert reading.value is None
    reading._take_frequency(TERMS.at(text, "frequency", 9, 12))
    reading._take_quantity(quantity_at(folded(text), 2, 8, TERMS))
    assert reading.value.parts == (
        Part("number", 2, 6, "39.2"),
        Part("unit", 7, 8, "℃"),
        Part("frequency", 9, 12, "tid"),
    )
    assert (reading.value.ucum, reading.value.per_day) == ("Cel", 3.0)
