import pytest

from spacy_medflat.values.quantities import quantity_at
from spacy_medflat.values.reading import folded

from .helpers import TERMS


@pytest.mark.parametrize(
    ("text", "form", "numbers", "ucum"),
    [
        ("92g/L", "number", (92,), "g/L"),
        ("92 ｇ／Ｌ", "number", (92,), "g/L"),
        ("12.3×10^9/L", "number", (12.3,), "10*9/L"),
        ("12.3 ×10⁹/L", "number", (12.3,), "10*9/L"),
        ("12.3*10^12/l", "number", (12.3,), "10*12/L"),
        ("12.3  10^9/L", "number", (12.3,), "10*9/L"),
        ("12.3×109/L", "number", (12.3,), "10*9/L"),
        ("1.2×10^5IU/ml", "number", (120_000,), "[IU]/mL"),
        ("10^5copies/ml", "number", (100_000,), "{copies}/mL"),
        ("90/60mmHg", "pair", (90, 60), "mm[Hg]"),
        ("120/80", "pair", (120, 80), None),
        ("120-140/80-90mmHg", "pair_of_ranges", (120, 140, 80, 90), "mm[Hg]"),
        ("3～5cm", "range", (3, 5), "cm"),
        ("3cm-5cm", "range", (3, 5), "cm"),
        ("3至5", "range", (3, 5), None),
        ("2.3×1.5×4cm", "size", (2.3, 1.5, 4), "cm"),
        ("3cm×4cm", "size", (3, 4), "cm"),
        ("3×10cm", "size", (3, 10), "cm"),
        ("1:320", "ratio", (1, 320), None),
        ("5mg/(kg·d)", "number", (5,), "mg/kg/d"),
        ("5mg/kg.d", "number", (5,), "mg/kg/d"),
        ("5μg/kg/min", "number", (5,), "ug/kg/min"),
        ("50万U", "number", (500_000,), "U"),
        ("两片", "number", (2,), "{tablet}"),
        ("1/2片", "number", (0.5,), "{tablet}"),
        ("1000余ml", "number", (1000,), "mL"),
        ("6.5×10*9/L", "number", (6.5,), "10*9/L"),
        ("39.2℃", "number", (39.2,), "Cel"),
        ("3-5个/HP", "range", (3, 5), "/[HPF]"),
        ("80次/分", "number", (80,), "/min"),
        ("3.5g/24h", "number", (3.5,), "g/(24.h)"),
    ],
)
def test_quantities(text, form, numbers, ucum):
    found = quantity_at(folded(text), 0, len(text), TERMS)
    assert (found.start, found.end, found.form) == (0, len(text), form)
    assert found.numbers == pytest.approx(numbers)
    assert (found.unit and found.unit.value) == ucum


@pytest.mark.parametrize(
    "text",
    [
        "3个月",
        "12岁",
        "3天前",
        "2次",
        "2022-03-05",
        "20220305",
        "3月5日",
        "3级",
        "12x",
        "12-5",
        "10^9/L",
        "abc",
        "",
        "08:30",
    ],
)
def test_what_is_no_quantity(text):
    assert quantity_at(folded(text), 0, len(text), TERMS) is None


def test_nothing_behind_the_end_is_read():
    assert quantity_at("92g/l", 0, 2, TERMS).unit is None
