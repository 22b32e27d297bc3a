from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from spacy_medflat.corpus.lengths import percentile, summarize


@given(lengths=st.lists(st.integers(0, 30), min_size=1), percent=st.integers(1, 100))
def test_nearest_rank(lengths, percent):
    found = percentile(Counter(lengths), percent)
    assert found in lengths
    assert sum(n <= found for n in lengths) * 100 >= percent * len(lengths)
    assert sum(n < found for n in lengths) * 100 < percent * len(lengths)


def test_summary():
    assert summarize(Counter({10: 1, 2: 3})) == {
        "median": 2,
        "p90": 10,
        "p99": 10,
        "max": 10,
        "histogram": {"2": 3, "10": 1},
    }
    assert summarize({}) == {"median": 0, "p90": 0, "p99": 0, "max": 0, "histogram": {}}
