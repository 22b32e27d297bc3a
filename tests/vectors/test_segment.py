from hypothesis import given
from hypothesis import strategies as st

from spacy_medflat.vectors.segment import tokens_of

TEXT = "右肺上叶腺癌 术后"


def test_longest_words_and_the_characters_between():
    assert tokens_of(TEXT, [(0, 2), (0, 4), (1, 2), (4, 6)]) == ["右肺上叶", "腺癌", "术", "后"]
    assert tokens_of(TEXT, []) == list("右肺上叶腺癌术后")


def test_of_crossing_words_the_first():
    assert tokens_of(TEXT, [(1, 4), (3, 6)]) == ["右", "肺上叶", "腺", "癌", "术", "后"]


def test_words_with_white_space_are_none():
    assert tokens_of(TEXT, [(4, 9), (5, 7)]) == list("右肺上叶腺癌术后")


def test_nothing():
    assert tokens_of("", []) == tokens_of(" \n", [(0, 1)]) == []


@given(st.text(max_size=30), st.lists(st.tuples(st.integers(0, 30), st.integers(1, 5))))
def test_tokens_are_the_text_without_white_space(text, words):
    places = [(start, start + length) for start, length in words if start + length <= len(text)]
    tokens = tokens_of(text, places)
    assert "".join(tokens) == "".join(char for char in text if not char.isspace())
    assert set(tokens) <= {text[start:end] for start, end in places} | set(text)
