import pytest
from hypothesis import given
from hypothesis import strategies as st

from spacy_medflat.linking.normal import normalise


@pytest.mark.parametrize(
    "name", ["2型糖尿病", "Ⅱ型糖尿病", "II型糖尿病", "二型糖尿病", "２型 糖尿病", "2型-糖尿病", "ⅱ型糖尿病。"]
)
def test_ways_to_write_the_same(name):
    assert normalise(name).key == "2型糖尿病"


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("肺癌ⅢA期", "肺癌3a期"),
        ("心功能Ⅲ-Ⅳ级", "心功能34级"),
        ("三度房室传导阻滞", "3度房室传导阻滞"),
        ("Ⅲ°房室传导阻滞", "3度房室传导阻滞"),
        ("十二型", "12型"),
        ("十二指肠溃疡", "十二指肠溃疡"),
        ("HIV期", "hiv期"),
        ("COPD（急性加重）", "copd急性加重"),
        ("HBsAg(+)", "hbsag+"),
    ],
)
def test_numbers_and_punctuation(name, key):
    assert normalise(name).key == key


@pytest.mark.parametrize(
    ("name", "bare", "side"),
    [
        ("右肺腺癌", "肺腺癌", "right"),
        ("左侧腹股沟疝", "腹股沟疝", "left"),
        ("双侧股骨头坏死", "股骨头坏死", "both"),
        ("双肺炎症", "肺炎症", "both"),
        ("左心室肥厚", "左心室肥厚", None),
        ("左氧氟沙星", "左氧氟沙星", None),
        ("双相情感障碍", "双相情感障碍", None),
        ("肺炎", "肺炎", None),
    ],
)
def test_sides(name, bare, side):
    found = normalise(name)
    assert (found.bare, found.side) == (bare, side)


@given(st.text(max_size=20))
def test_the_form_is_its_own_form(name):
    key = normalise(name).key
    assert all(char.isalnum() or char == "+" for char in key)
