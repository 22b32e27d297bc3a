import pytest

from spacy_medflat.lattice.rules import WordRules


@pytest.mark.parametrize("word", ["肺癌", "二〇", "㐀𠀀", "\uf900肺", "八个汉字的长词啊"])
def test_allowed(word):
    assert WordRules().allow(word)
    assert WordRules().reason(word) is None


@pytest.mark.parametrize(
    ("word", "reason"),
    [
        ("肺", "too short"),
        ("", "too short"),
        ("九个汉字的很长词啊", "too long"),
        ("CT片", "not Chinese"),
        ("肺 癌", "not Chinese"),
        ("肺癌\n", "not Chinese"),
        ("Ⅲ级", "not Chinese"),
        ("时々", "not Chinese"),
        ("Ａ型", "not Chinese"),
    ],
)
def test_refused(word, reason):
    assert not WordRules().allow(word)
    assert WordRules().reason(word) == reason


def test_other_limits():
    rules = WordRules(1, 3, chinese_only=False)
    assert [word for word in ("肺", "CT", "B超\n", "阿司匹林") if rules.allow(word)] == ["肺", "CT", "B超\n"]
    assert WordRules(1, 1).refused(["肺", "肺癌", "A", "B"]) == {"too long": 1, "not Chinese": 2}


@pytest.mark.parametrize("limits", [(0, 3), (4, 3), (2, 10**6)])
def test_limits_that_cannot_be(limits):
    with pytest.raises(ValueError, match=f"min_length is {limits[0]} and max_length is {limits[1]}"):
        WordRules(*limits)
