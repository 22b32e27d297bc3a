import pytest

from spacy_medflat.lattice.lexicon import Entry, Lexicon, LexiconError
from spacy_medflat.lattice.rules import WordRules


def test_words_with_types_and_frequencies():
    lexicon = Lexicon({"肺癌": "dis", "咳嗽": "sym"})
    lexicon.add("右肺")
    lexicon.add("咳嗽", "dis", 7)
    lexicon.add("咳嗽", frequency=3)
    assert list(lexicon) == ["肺癌", "咳嗽", "右肺"] and len(lexicon) == 3
    assert lexicon.types("咳嗽") == "dis|sym" and lexicon.frequency("咳嗽") == 7
    assert "右肺" in lexicon and "左肺" not in lexicon and lexicon.frequency("左肺") is None
    assert list(lexicon.entries())[2] == Entry("右肺", "", None)
    assert lexicon.type_counts() == {"dis": 2, "sym": 1, "": 1}


def test_removing_and_the_revision():
    lexicon = Lexicon(["肺癌", "右肺"])
    before = lexicon.revision
    assert lexicon.remove(["肺癌", "不在"]) == 1
    assert list(lexicon) == ["右肺"] and lexicon.revision > before
    lexicon.add("肺癌")
    assert lexicon.frequency("肺癌") is None


def test_merge():
    one, two = Lexicon({"肺癌": "dis"}), Lexicon({"肺癌": "sym", "右肺": ""})
    two.add("肺癌", frequency=4)
    one.merge(two)
    assert list(one.entries()) == [("肺癌", "dis|sym", 4), ("右肺", "", None)]
    again = Lexicon()
    again.merge(one)
    again.merge(one)
    assert again == one and again != two and one != {"肺癌"}


def test_filter():
    lexicon = Lexicon({"肺": "bod", "肺癌": "dis", "CT": "equ", "咳嗽": "sym|dis", "结石": ""})
    lexicon.add("肺癌", frequency=2)
    assert list(lexicon.filter(WordRules())) == ["肺癌", "咳嗽", "结石"]
    assert list(lexicon.filter(min_frequency=3, drop=["CT"])) == ["肺", "咳嗽", "结石"]
    assert list(lexicon.filter(types=["dis"]).entries()) == [("肺癌", "dis", 2), ("咳嗽", "dis|sym", None)]
    assert len(lexicon) == 5


@pytest.mark.parametrize("word", ["", " 肺", "肺\t癌", "肺\n癌", "肺\u2028癌", None])
def test_not_a_word(word):
    with pytest.raises(LexiconError, match="not a word"):
        Lexicon().add(word)


def test_not_a_type_or_frequency():
    with pytest.raises(LexiconError, match="not a type: 'a\\\\tb'"):
        Lexicon({"肺癌": "a\tb"})
    with pytest.raises(LexiconError, match="must not be below 0, but it is -1"):
        Lexicon().add("肺癌", frequency=-1)


def test_a_single_string_is_not_taken_apart():
    with pytest.raises(TypeError, match="put it in a list"):
        Lexicon("肺癌")
    with pytest.raises(TypeError, match="put it in a list"):
        Lexicon().remove("肺癌")
