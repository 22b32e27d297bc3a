import pytest

from spacy_medflat.linking.attributes import Code
from spacy_medflat.linking.index import CodeIndex
from spacy_medflat.linking.rows import CodeRow

INDEX = CodeIndex(
    [
        CodeRow("E11", "2型糖尿病", ("非胰岛素依赖型糖尿病",), ("dis",)),
        CodeRow("E10", "1型糖尿病", (), ("dis",)),
        CodeRow("C34", "肺恶性肿瘤", ("肺癌",), ("dis",)),
        CodeRow("C34R", "右肺恶性肿瘤", (), ("dis",)),
        CodeRow("C16", "胃恶性肿瘤", (), ("dis",)),
        CodeRow("I25", "冠状动脉粥样硬化性心脏病", ("冠心病",)),
        CodeRow("X1", "感冒", (), ("dis",)),
        CodeRow("X2", "感冒", (), ("dis",)),
        CodeRow("D1", "阿司匹林", (), ("dru",)),
        CodeRow("P1", "()", (), ("dis",)),
    ]
)


def link(name, label="dis", threshold=0.7, n_best=3):
    return INDEX.link(name, label, threshold, n_best)


def test_the_same_name():
    assert link("肺癌") == (Code("C34", "肺癌", 1.0, "exact"),)


@pytest.mark.parametrize("name", ["Ⅱ型糖尿病", "二型糖尿病", "２型 糖尿病"])
def test_a_name_written_otherwise(name):
    assert link(name) == (Code("E11", "2型糖尿病", 1.0, "normalised"),)


def test_sides():
    assert link("左肺癌") == (Code("C34", "肺癌", 1.0, "normalised", "left"),)
    assert link("右肺恶性肿瘤")[0].code == "C34R"
    # A row of the other side, or of one where the text names none, is not meant.
    assert {code.code for code in link("左肺恶性肿瘤")} == {"C34"}
    assert {code.code for code in link("肺恶性肿瘤")} == {"C34"}


def test_a_name_that_is_alike():
    (first, *_) = link("冠状动脉粥样硬化心脏病")
    assert (first.code, first.how) == ("I25", "fuzzy") and 0.85 < first.score < 1


def test_what_differs_in_the_rare_character_is_not_alike():
    assert link("肝恶性肿瘤", threshold=0.75) == ()


def test_nothing_under_the_threshold():
    assert link("头痛", threshold=0.3) == () and link("", threshold=0) == () and link("。。", threshold=0) == ()


def test_one_name_of_two_codes_gives_both_in_their_order():
    assert [code.code for code in link("感冒")] == ["X1", "X2"]
    assert [code.code for code in link("感冒", n_best=1)] == ["X1"]


def test_rows_of_other_labels_are_left_out():
    assert link("阿司匹林", "dis") == () and link("阿司匹林", "dru")[0].code == "D1"
    assert link("冠心病", "sym")[0].code == "I25"


def test_a_code_comes_once():
    codes = [code.code for code in link("糖尿病", threshold=0.1, n_best=9)]
    assert len(codes) == len(set(codes)) and {"E10", "E11"} <= set(codes)


def test_an_empty_table():
    assert CodeIndex([]).link("肺癌", "dis", 0.0, 3) == ()


def test_it_can_be_pickled():
    import pickle

    assert pickle.loads(pickle.dumps(INDEX)).link("肺癌", "dis", 0.7, 3) == link("肺癌")
