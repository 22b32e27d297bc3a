import pytest
from hypothesis import given
from hypothesis import strategies as st

from spacy_medflat.linking.ngrams import PairIndex, pairs_of

NAMES = ["肺炎", "胃溃疡", "十二指肠溃疡", "肺结核", "肺癌"]


def test_pairs():
    assert pairs_of("肺炎") == {"\x02肺", "肺炎", "炎\x03"}
    assert len(pairs_of("a")) == 2


def test_candidates_come_best_first():
    index = PairIndex(NAMES)
    assert index.candidates(pairs_of("十二指肠溃病"))[0] == 2
    assert index.candidates(pairs_of("肺炎"))[0] == 0
    assert index.candidates(pairs_of("xyz")) == []
    # Nothing of a query is left for the next.
    assert index.candidates(pairs_of("肺炎")) == index.candidates(pairs_of("肺炎"))


def test_weights():
    index = PairIndex(NAMES)
    assert index.weight({"肺炎"}) > index.weight({"\x02肺"}) > 0
    assert index.weight({"??"}) == index.weight({"肺炎"})
    assert index.weight_of(0) == pytest.approx(index.weight(pairs_of("肺炎")), rel=1e-5)


@given(st.lists(st.text("肺胃炎癌溃疡1型", min_size=1, max_size=6), min_size=1, max_size=30, unique=True), st.data())
def test_a_name_finds_itself(names, data):
    name = data.draw(st.sampled_from(names))
    found = PairIndex(names).candidates(pairs_of(name))
    assert names.index(name) in found and len(set(found)) == len(found)


def test_an_empty_index():
    assert PairIndex([]).candidates(pairs_of("肺")) == []
