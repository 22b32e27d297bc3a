from hypothesis import given
from hypothesis import strategies as st

from spacy_medflat.lattice.words import Words, join_types, union

from .helpers import rows

place = st.tuples(st.integers(0, 6), st.integers(1, 4)).map(lambda p: (p[0], p[0] + p[1]))
types = st.sampled_from(["", "dis", "bod", "dis|sym"])
batches = st.lists(st.lists(st.builds(lambda p, t: (*p, t), place, types), max_size=6), min_size=3, max_size=3)


def test_ordered_and_without_repetition():
    words = Words.of([[(2, 4, "b"), (0, 2, "a"), (0, 4, ""), (0, 2, "c")], [], [(0, 2, "")]], "x")
    assert rows(words) == [(0, 0, 4, "", "x"), (0, 0, 2, "a", "x"), (0, 2, 4, "b", "x"), (2, 0, 2, "", "x")]
    assert words.bounds(3) == [0, 3, 3, 4]


def test_nothing():
    empty = Words.of([[], []], "x")
    assert len(empty) == 0 and empty.bounds(2) == [0, 0, 0]
    some = Words.of([[(0, 2, "a")]], "y")
    assert rows(union(empty, some)) == rows(union(some, empty)) == rows(some)


@given(batches, batches)
def test_union(first, second):
    one, two = Words.of(first, "a"), Words.of(second, "b")
    expected = {}
    for words in (one, two):
        for text, start, end, kinds, source in rows(words):
            old = expected.get((text, start, end))
            expected[text, start, end] = (join_types(old[0], kinds), f"{old[1]}+{source}") if old else (kinds, source)
    found = rows(union(one, two))
    assert {row[:3]: row[3:] for row in found} == expected
    assert found == sorted(found, key=lambda row: (row[0], row[1], -row[2]))


def test_union_of_three_names_a_source_once():
    words = [Words.of([[(0, 2, kind)]], name) for name, kind in (("a", "x"), ("b", ""), ("a", "y|x"))]
    assert rows(union(union(words[0], words[1]), words[2])) == [(0, 0, 2, "x|y", "a+b")]
