import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spacy_medflat.ner.spans import Candidates, GoldSpans, logit
from spacy_medflat.ner.thresholds import (
    LabelScores,
    best_global_threshold,
    best_label_thresholds,
    count,
    f1,
    label_scores,
)

ROWS = st.lists(st.tuples(st.integers(1, 9), st.booleans()), max_size=6)


def make(rows, missed):
    rows = sorted(rows, reverse=True)
    hits = np.cumsum([0, *(hit for _, hit in rows)])
    return LabelScores(np.array([score / 10 for score, _ in rows]), hits, int(hits[-1]) + missed)


@settings(deadline=None)
@given(st.lists(st.tuples(ROWS, st.integers(0, 3)), min_size=1, max_size=3))
def test_thresholds_are_the_best_of_all(labels):
    labels = [make(rows, missed) for rows, missed in labels]
    grid = [0.0, *(i / 10 + 0.05 for i in range(1, 10))]
    every = [f1(*count(labels, t)) for t in itertools.product(grid, repeat=len(labels))]
    common = [f1(*count(labels, [t] * len(labels))) for t in grid]
    assert f1(*count(labels, [best_global_threshold(labels)] * len(labels))) == pytest.approx(max(common))
    assert f1(*count(labels, best_label_thresholds(labels, min_gold=0))) == pytest.approx(max(every))


def test_rare_labels_take_the_global_threshold():
    frequent, rare = make([(9, True), (8, True), (2, False)], 0), make([(5, True), (4, False)], 0)
    thresholds = best_label_thresholds([frequent, rare], min_gold=2)
    assert thresholds[1] == best_global_threshold([frequent, rare])


@pytest.mark.parametrize("upper", [1.0, 0.99999, 0.5, 1e-7])
def test_between_neighbouring_scores_the_upper_one_passes(upper):
    upper = np.float32(upper)
    lower = np.nextafter(upper, np.float32(0))
    scores = LabelScores(np.array([upper, lower]), np.array([0, 1, 1]), 1)
    for k in (1, 2):
        assert (scores.score > np.float32(scores.threshold(k))).sum() == k
        assert (scores.score > scores.threshold(k)).sum() == k


def test_label_scores_match_candidates_with_gold():
    texts = [
        Candidates(np.array([0, 2]), np.array([2, 3]), np.array([0, 1]), logit([0.4, 0.9])),
        Candidates(np.array([0]), np.array([2]), np.array([0]), logit([0.8])),
    ]
    gold = GoldSpans(*np.array([[1, 0, 2, 0], [0, 5, 6, 1]]).T, annotated=np.ones(2, bool))
    first, second = label_scores(texts, gold, 2)
    assert first.score.tolist() == pytest.approx([0.8, 0.4]) and first.hits.tolist() == [0, 1, 1] and first.gold == 1
    assert second.hits.tolist() == [0, 0] and second.gold == 1
    assert count([first, second], [0.5, 0.95]) == (1, 1, 2)
