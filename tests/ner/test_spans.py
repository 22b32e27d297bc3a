import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spacy_medflat.ner.spans import Candidates, logit, resolve

SPANS = st.lists(
    st.tuples(st.integers(0, 12), st.integers(1, 8), st.integers(0, 2), st.sampled_from([0.5, 0.6, 0.7, 0.9])),
    max_size=14,
    unique_by=lambda s: s[:3],
)


def make(spans):
    rows = sorted(((s, s + n, label, score) for s, n, label, score in spans), key=lambda r: (r[0], -r[1], r[2]))
    start, end, label, score = (np.array(c) for c in zip(*rows, strict=True)) if rows else [np.zeros(0, int)] * 4
    return Candidates(start, end, label, logit(score))


def rows(candidates):
    return list(zip(*(column.tolist() for column in candidates), strict=True))


@given(st.lists(st.floats(0, 1, width=32)))
def test_a_score_survives_as_a_logit(scores):
    none = np.zeros(len(scores), dtype=np.int64)
    found = Candidates(none, none, none, logit(np.array(scores, dtype=np.float32))).score
    assert found.dtype == np.float32 and found.tolist() == scores


def test_thresholds_out_of_range_let_everything_or_nothing_pass():
    assert logit([-0.5, 0.0, 1.0, 1.5]).tolist() == [-np.inf, -np.inf, np.inf, np.inf]


def test_candidates_above_the_limits_of_their_labels():
    candidates = make([(0, 4, 0, 0.9), (0, 4, 1, 0.6), (1, 2, 1, 0.5), (3, 3, 0, 0.7)])
    assert [row[:3] for row in rows(candidates.above(logit([0.8, 0.5])))] == [(0, 4, 0), (0, 4, 1)]


def crosses(a, b):
    return a[0] < b[0] < a[1] < b[1] or b[0] < a[0] < b[1] < a[1]


def overlaps(a, b):
    return a[0] < b[1] and b[0] < a[1]


@pytest.mark.parametrize(("mode", "conflict"), [("nested", crosses), ("flat", overlaps)])
@given(spans=SPANS)
def test_greedy_choice(mode, conflict, spans):
    candidates = make(spans)
    kept = []
    for row in sorted(rows(candidates), key=lambda r: (-r[3], r[0] - r[1], r[0], r[2])):
        if not any(conflict(row, other) for other in kept):
            kept.append(row)
    assert rows(resolve(candidates, mode)) == [row for row in rows(candidates) if row in kept]


@given(SPANS)
def test_all_keeps_everything(spans):
    assert rows(resolve(make(spans), "all")) == rows(make(spans))


def test_two_labels_on_one_span_nest_but_are_not_flat():
    candidates = make([(0, 4, 0, 0.9), (0, 4, 1, 0.6), (1, 2, 2, 0.5), (3, 3, 0, 0.7)])
    assert [row[:3] for row in rows(resolve(candidates, "nested"))] == [(0, 4, 0), (0, 4, 1), (1, 3, 2)]
    assert [row[:3] for row in rows(resolve(candidates, "flat"))] == [(0, 4, 0)]
