from itertools import combinations, product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spacy_medflat.lattice.best_fit import best_fit

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
