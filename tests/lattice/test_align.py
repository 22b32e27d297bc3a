import unicodedata
from itertools import combinations, pairwise, product

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from spacy_medflat.lattice.align import align_words, best_fit

from ..corpus.strategies import texts
from .helpers import PLACES, TEXT

chinese = st.text("肺癌右上叶腺", min_size=1, max_size=4)
gaps = st.text(" \n\t\u3000\xa0", max_size=3)
marks = st.text("，。、12", max_size=4)


# What a segmenter may do to a stretch of text.
kept = st.tuples(st.just("kept"), st.lists(st.integers(1, 4), min_size=1, max_size=9))
normalized = st.tuples(st.just("normalized"), st.lists(st.integers(1, 4), min_size=1, max_size=20))
dropped = st.tuples(st.just("dropped"), st.integers(1, 60))
changed = st.tuples(st.just("changed"), st.tuples(st.integers(0, 40), st.lists(st.integers(1, 3), max_size=40)))


def fold(text):
    return "".join(unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold()).split())


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
    assert all(fold(text[start:end]) == fold(words[i]) and start < end for i, start, end in places)
    assert all(a[0] < b[0] and a[2] <= b[1] for a, b in pairwise(places))


@settings(max_examples=300, deadline=None)
@given(st.lists(st.one_of(kept, normalized, dropped, changed), max_size=12))
@example([("dropped", 300), ("kept", [2, 1, 2]), ("changed", (0, [1] * 300))])
@example([("changed", (9, [1] * 9)), ("kept", [2] * 300), ("normalized", [1] * 9), ("kept", [2])])
def test_runs_that_are_dropped_or_changed_neither_lose_nor_shift_other_words(stretches):
    text, words, expected = "", [], []
    for kind, what in stretches:
        if kind == "dropped":
            text += "#" * what
        elif kind == "changed":
            text += "#" * what[0]
            words += ["☐" * size for size in what[1]]
        else:
            for size in what:
                # No character stands twice, because then there might be another explanation that is as good.
                base = 0xFF21 if kind == "normalized" else 0
                word = "".join(chr(0x4E00 + len(text) + i) for i in range(size)) + (chr(base) if base else "")
                expected.append((unicodedata.normalize("NFKC", word).lower(), len(text), len(text) + len(word)))
                words.append(expected[-1][0])
                text += word
    assert found(text, words) == expected


@pytest.mark.parametrize("first", ["１２３４５６７８９", "甲乙丙丁戊己庚辛壬"])
def test_many_changed_words_and_one_of_them_much_later(first):
    words = ["右肺", "上叶"] * 150
    text = f"{first}{''.join(words)}1"
    assert found(text, [*"123456789", *words, "1"])[-301:] == [
        *((word, 9 + 2 * i, 11 + 2 * i) for i, word in enumerate(words)),
        ("1", 609, 610),
    ]


def test_forms_of_characters():
    text = "ＡＢ患者…㎎ e\u0301Ｔ细胞"
    words = ["ab", "患者", "...", "m", "g", "é", "t细胞"]
    assert found(text, words) == [("ab", 0, 2), ("患者", 2, 4), ("...", 4, 5), ("é", 7, 9), ("t细胞", 9, 12)]


def test_text_and_words_without_anything_in_common():
    assert align_words("肺癌" * 2000, ["☐"] * 4000) == []


def test_a_changed_word_that_comes_again_later():
    assert found("Ａ型肺癌与乙型肺炎，A", ["A", "型", "肺癌", "与", "乙型", "肺炎", "，", "A"]) == [
        ("A", 0, 1),
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


letters = st.text("肺癌", max_size=5)


def all_ways(pieces, flat):
    """Every way to place some of the words in order and without overlaps."""
    for n in range(len(pieces) + 1):
        for words in combinations(range(len(pieces)), n):
            for places in product(range(len(flat)), repeat=n):
                ends = [0, *(p + len(pieces[i]) for i, p in zip(words, places, strict=True))]
                if all(flat.startswith(pieces[i], p) for i, p in zip(words, places, strict=True)) and all(
                    end <= p for end, p in zip(ends, places, strict=False)
                ):
                    yield list(zip(words, places, strict=True))


@given(st.lists(letters.filter(bool), max_size=3), letters)
def test_as_many_characters_as_possible(pieces, flat):
    def covered(way):
        return sum(len(pieces[i]) for i, _ in way)

    fit = best_fit(pieces, flat)
    ways = list(all_ways(pieces, flat))
    assert fit in ways and covered(fit) == max(map(covered, ways))


@pytest.mark.parametrize(
    ("pieces", "flat", "expected"),
    [
        (["肺", "癌"], "、肺、肺癌", [(0, 3), (1, 4)]),
        (["肺", "癌"], "肺癌、癌", [(0, 0), (1, 1)]),
        (["，"], "，#，", [(0, 0)]),
        (["癌", "肺"], "肺癌", [(1, 0)]),
        ([], "肺", []),
        (["肺"], "", []),
    ],
)
def test_words_right_behind_each_other(pieces, flat, expected):
    assert best_fit(pieces, flat) == expected
