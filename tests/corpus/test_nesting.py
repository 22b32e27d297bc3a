from hypothesis import given
from hypothesis import strategies as st

from spacy_medflat.corpus.nesting import find_overlaps, nested_parts
from spacy_medflat.corpus.record import Entity

spans = st.lists(
    st.tuples(st.integers(0, 12), st.integers(1, 6), st.sampled_from("ab")).map(
        lambda s: Entity(s[0], s[0] + s[1], s[2])
    ),
    unique=True,
    max_size=8,
)


def test_a_chain_of_three():
    inner, middle, outer, apart = Entity(1, 2, "c"), Entity(0, 4, "b"), Entity(0, 6, "a"), Entity(7, 9, "d")
    found = find_overlaps([inner, middle, outer, apart])
    assert found.nested == [(outer, middle), (outer, inner), (middle, inner)]
    assert sorted(found.depths) == [1, 1, 2, 3]
    assert found.nested_entities() == {inner, middle, outer}


def test_same_span_is_neither_nested_nor_deeper():
    found = find_overlaps([Entity(0, 2, "a"), Entity(0, 2, "b")])
    assert (found.nested, found.crossing, found.depths) == ([], [], [1, 1])
    assert found.same_span == [(Entity(0, 2, "a"), Entity(0, 2, "b"))]


def test_crossing():
    first, second = Entity(0, 4, "a"), Entity(2, 6, "b")
    assert find_overlaps([second, first]).crossing == [(first, second)]
    assert find_overlaps([Entity(0, 2, "a"), Entity(2, 4, "b")]).crossing == []


@given(entities=spans)
def test_every_pair_is_found(entities):
    found = find_overlaps(entities)
    nested, crossing, same = set(), set(), set()
    for a in entities:
        for b in entities:
            if a == b:
                continue
            if (a.start, a.end) == (b.start, b.end):
                same.add(frozenset((a, b)))
            elif a.start <= b.start and b.end <= a.end:
                nested.add((a, b))
            elif a.start < b.start < a.end < b.end:
                crossing.add((a, b))
    assert set(found.nested) == nested
    assert set(found.crossing) == crossing
    assert {frozenset(pair) for pair in found.same_span} == same
    assert len(found.depths) == len(entities)
    assert nested_parts(entities) == ({a for a, _ in nested}, {b for _, b in nested})
    assert found.nested_entities() == {entity for pair in nested for entity in pair}


def test_the_parts_of_many_overlapping_entities_are_not_compared_in_pairs():
    entities = [Entity(i, j, label) for i in range(200) for j in range(i + 1, i + 201) for label in "ab"]
    outer, inner = nested_parts(entities)
    assert len(outer) == 2 * 200 * 199
    assert entities[-1] in outer and Entity(0, 200, "a") in outer
    assert Entity(0, 200, "a") not in inner and Entity(0, 199, "b") in inner
