import pytest
from hypothesis import given
from hypothesis import strategies as st

from spacy_medflat.values.numerals import COUNT, bare_power_at, count, numeral_at, power_at


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("12", 12),
        ("12.50", 12.5),
        ("1,200", 1200),
        ("-2.5", -2.5),
        ("半", 0.5),
        ("两", 2),
        ("十", 10),
        ("十二", 12),
        ("三十", 30),
        ("50万", 500_000),
        ("1.2亿", 120_000_000),
    ],
)
def test_numbers(text, number):
    found = numeral_at(text, 0, len(text))
    assert found == (len(text), pytest.approx(number))


@pytest.mark.parametrize("text", ["", "a", "1.2.3", "片"])
def test_what_is_no_number(text):
    assert numeral_at(text, 0, len(text)) is None


@given(st.decimals(min_value=0, max_value=10**9, places=3))
def test_decimals(number):
    text = f"{number:f}"
    found = numeral_at(text, 0, len(text))
    assert found == (len(text), pytest.approx(float(number)))


@pytest.mark.parametrize("text", ["×10^9/l", "*10^9/l", "x10⁹/l", "×109/l", " × 10 ^ 9/l", "·10**9/l", "×10e9/l"])
def test_powers(text):
    assert power_at(text, 0, len(text)) == (text.index("/"), 9)


@pytest.mark.parametrize("text", ["×10cm", "×109", "10^9", "×12"])
def test_sizes_are_no_powers(text):
    assert power_at(text, 0, len(text)) is None


def test_a_power_without_a_factor():
    assert bare_power_at("10^5", 0, 4) == (4, 5)
    assert bare_power_at("10⁵", 0, 3) == (3, 5)
    assert bare_power_at("105", 0, 3) is None


@pytest.mark.parametrize(("text", "number"), [("3", 3), ("三", 3), ("2-3", 2.5), ("2 ~ 3", 2.5)])
def test_counts(text, number):
    import re

    assert re.fullmatch(COUNT, text) and count(text) == number
