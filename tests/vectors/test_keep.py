import pytest

from spacy_medflat.lattice.rules import WordRules
from spacy_medflat.vectors.keep import WordFilter, is_character


@pytest.mark.parametrize(
    ("word", "reason"),
    [
        ("肺", None),
        ("肺癌", None),
        ("右肺上叶腺癌术后", None),
        ("右肺上叶腺癌手术后", "too long"),
        ("a", "too short"),
        ("CT", "not Chinese"),
        ("T细胞", "not Chinese"),
        ("", "empty or with a space inside"),
        ("肺 癌", "empty or with a space inside"),
        ("\u3000", "empty or with a space inside"),
    ],
)
def test_rules(word, reason):
    assert WordFilter().reason_against(word) == reason


def test_other_rules_keep_single_characters():
    keep = WordFilter(WordRules(3, 4, chinese_only=False))
    assert [word for word in ("肺", "肺癌", "T细胞", "右肺上叶腺") if not keep.reason_against(word)] == ["肺", "T细胞"]


def test_a_list_decides_alone():
    keep = WordFilter(words={"T细胞", "右肺上叶腺癌手术后"})
    assert not keep.reason_against("T细胞")
    assert not keep.reason_against("右肺上叶腺癌手术后")
    assert not keep.reason_against("肺")
    assert keep.reason_against("肺癌") == "not in the list of words"


def test_is_character():
    assert is_character("肺")
    assert not any(map(is_character, ["", "肺癌", "a", "，"]))
