import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from spacy_medflat.ner.band import make_band
from spacy_medflat.ner.pointer import EfficientGlobalPointerScores
from spacy_medflat.ner.pointer_head import find_candidates
from spacy_medflat.ner.spans import Candidates, resolve

from . import reference

D, N = 4, 2


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(0, 12), min_size=1, max_size=4), st.integers(1, 14), st.integers(0, 1000))
def test_candidates_are_the_spans_above_the_floor_of_their_label(lengths, max_width, seed):
    torch.manual_seed(seed)
    features = torch.randn(sum(lengths), 2 * D + 2 * N, dtype=torch.float64)
    floors = np.array([0.5, -0.2])
    band = make_band(np.array(lengths), max_width, block_starts=5)
    found = find_candidates(features, band, EfficientGlobalPointerScores(D), floors)
    assert len(found) == len(lengths)
    for text, candidates in zip(features.split(lengths), found, strict=True):
        expected = {}
        for i in range(len(text)):
            for j in range(i, min(len(text), i + max_width)):
                for label in range(N):
                    logit = reference.efficient_logit(text, i, j, label, D, N)
                    if logit > floors[label]:
                        expected[i, j + 1, label] = torch.sigmoid(logit).item()
        spans = list(zip(*(column.tolist() for column in candidates[:3]), strict=True))
        assert spans == sorted(expected, key=lambda s: (s[0], -s[1], s[2]))
        np.testing.assert_allclose(candidates.score, [expected[span] for span in spans], rtol=1e-5)


SPANS = st.lists(
    st.tuples(st.integers(0, 12), st.integers(1, 8), st.integers(0, 2), st.sampled_from([0.5, 0.6, 0.7, 0.9])),
    max_size=14,
    unique_by=lambda s: s[:3],
)


def make(spans):
    rows = sorted(((s, s + n, label, score) for s, n, label, score in spans), key=lambda r: (r[0], -r[1], r[2]))
    start, end, label, score = (np.array(c) for c in zip(*rows, strict=True)) if rows else [np.zeros(0, int)] * 4
    return Candidates(start, end, label, score.astype(np.float32))


def rows(candidates):
    return list(zip(*(column.tolist() for column in candidates), strict=True))


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
