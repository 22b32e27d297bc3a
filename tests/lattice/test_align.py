from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spacy_medflat.lattice.align import align_words

from ..corpus.strategies import texts
from .helpers import PLACES, TEXT

chinese = st.text("肺癌右上叶腺", min_size=1, max_size=4)
gaps = st.text(" \n\t\u3000\xa0", max_size=3)
marks = st.text("，。、12", max_size=4)


def found(text, words):
    return [(words[i], start, end) for i, start, end in align_words(text, words)]


def test_the_printed_example():
    words = ["2", ".", "肾盂", "、", "膀胱", "及", "输尿管", "结石", "。"]
    assert [place for place in found(TEXT, words) if place in PLACES] == PLACES


@given(st.lists(st.tuples(st.one_of(chinese, marks.filter(bool)), gaps), max_size=12), gaps)
def test_dropped_white_space(words, start):
    text, expected = start, []
    for word, gap in words:
        expected.append((word, len(text), len(text) + len(word)))
        text += word + gap
    assert found(text, [word for word, _ in words]) == expected


@given(st.lists(st.tuples(marks, chinese), max_size=12))
def test_dropped_characters(words):
    text, expected = "", []
    for mark, word in words:
        text += mark
        expected.append((word, len(text), len(text) + len(word)))
        text += word
    assert found(text, [word for _, word in words]) == expected


@given(texts, st.lists(texts, max_size=10))
def test_any_text_and_any_words(text, words):
    places = align_words(text, words)
    assert all(text[start:end] == words[i] and start < end for i, start, end in places)
    assert all(a[0] < b[0] and a[2] <= b[1] for a, b in pairwise(places))


@given(st.lists(chinese, min_size=1, max_size=10), st.data())
def test_a_word_that_is_not_there_shifts_no_other(words, data):
    i = data.draw(st.integers(0, len(words) - 1))
    text, expected = "", []
    for j, word in enumerate(words):
        if j != i:
            expected.append((word, len(text) + 1, len(text) + 1 + len(word)))
        # Marks keep the places unique: without them a word may stand in the one that is missing.
        text += "，" + ("#" * len(word) if j == i else word)
    changed = [part for j, word in enumerate(words) for part in ("，", "Ｘ" * len(word) if j == i else word)]
    assert [place for place in found(text, changed) if place[0] != "，"] == expected


def test_a_changed_word_that_comes_again_later():
    assert found("Ａ型肺癌与乙型肺炎，A", ["A", "型", "肺癌", "与", "乙型", "肺炎", "，", "A"]) == [
        ("型", 1, 2),
        ("肺癌", 2, 4),
        ("与", 4, 5),
        ("乙型", 5, 7),
        ("肺炎", 7, 9),
        ("，", 9, 10),
        ("A", 10, 11),
    ]


@pytest.mark.parametrize(("text", "words"), [("", ["肺"]), ("肺", []), ("", []), ("肺", ["", "癌"])])
def test_nothing_to_find(text, words):
    assert align_words(text, words) == []
