import pytest
from hypothesis import given
from hypothesis import strategies as st

from spacy_medflat.adapt.cutting import letters, pieces


@pytest.mark.parametrize(
    ("text", "longest", "expected"),
    [
        (" 患者贫血。 ", 20, ["患者贫血。"]),
        ("", 20, []),
        (" \n ", 2, []),
        ("患者贫血。咳嗽！发热3天", 8, ["患者贫血。咳嗽！", "发热3天"]),
        ("他说：“咳嗽。”\n\n 发热", 12, ["他说：“咳嗽。”", "发热"]),
        ("咳嗽\n发热\n乏力", 6, ["咳嗽\n发热", "乏力"]),
        ("右肺上叶腺癌，双下肢水肿，贫血", 8, ["右肺上叶腺癌，", "双下肢水肿，贫血"]),
        ("甲乙丙丁戊己庚", 3, ["甲乙丙", "丁戊己", "庚"]),
    ],
)
def test_cuts(text, longest, expected):
    assert list(pieces(text, longest)) == expected


@given(text=st.text(st.sampled_from("肺癌a3，。；\n 　！”"), max_size=80), longest=st.integers(1, 12))
def test_nothing_is_lost_and_nothing_is_too_long(text, longest):
    found = list(pieces(text, longest))
    assert "".join("".join(found).split()) == "".join(text.split())
    assert all(0 < len(piece) <= longest and piece == piece.strip() for piece in found)
    place = 0
    for piece in found:
        place = text.index(piece, place) + len(piece)


def test_letters():
    assert letters("WBC 3.5×10^9，贫血ⅡÉ") == 6
    assert letters("2026-11-26 19:07") == 0
