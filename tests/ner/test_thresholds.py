import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spacy_medflat.ner.spans import Candidates, GoldSpans, logit
from spacy_medflat.ner.thresholds import (
    LabelScores,
    best_common_threshold,
    best_label_thresholds,
    count,
    f1,
    label_scores,
    text_counts,
    tune,
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
    free = [None] * len(labels)
    assert f1(*count(labels, best_common_threshold(labels, free))) == pytest.approx(max(common))
    assert f1(*count(labels, best_label_thresholds(labels, free))) == pytest.approx(max(every))


def test_labels_that_are_kept_do_not_move():
    frequent, rare = make([(9, True), (8, True), (2, False)], 0), make([(5, True), (4, False)], 0)
    for choose in (best_common_threshold, best_label_thresholds):
        assert choose([frequent, rare], [None, 0.6]) == [pytest.approx(0.5), 0.6]
        assert choose([frequent, rare], [0.7, 0.6]) == [0.7, 0.6]


def scored_texts(scores, right, labels=1):
    """One candidate a text, label by label in turn, and the gold of those that are right."""
    found = [Candidates(*np.array([[0], [1], [i % labels]]), logit([score])) for i, score in enumerate(scores)]
    gold = [(i, 0, 1, i % labels) for i, is_right in enumerate(right) if is_right]
    return found, GoldSpans(*np.array(gold).T, annotated=np.ones(len(found), bool))


def test_thresholds_that_do_not_help_on_the_other_half_stay():
    rng = np.random.default_rng(0)
    # Scores that say nothing: what is best on one half is chance, and .5 lets everything pass.
    found, gold = scored_texts(0.6 + 0.3 * rng.random(80), rng.random(80) < 0.5, labels=7)
    tuning = tune(found, gold, [0.5] * 7, min_gold=1)
    assert tuning.other_half["labels"] < tuning.other_half["now"]
    assert tuning.choice == "now" and tuning.thresholds == [0.5] * 7 and tuning.before == tuning.after


def test_thresholds_that_help_are_chosen():
    scores = np.repeat([0.1, 0.2, 0.3, 0.4], 25)
    found, gold = scored_texts(scores, scores > 0.15)
    tuning = tune(found, gold, [0.5])
    assert tuning.choice == "common" and tuning.thresholds == [pytest.approx(0.15)]
    assert (tuning.before, tuning.after, tuning.other_half["common"]) == (0, 1, 1)


def test_a_label_with_one_gold_span_keeps_its_threshold():
    scores = np.repeat([0.1, 0.3], 50)
    found, gold = scored_texts(scores, scores > 0.2)
    found.append(Candidates(*np.array([[0], [1], [1]]), logit([0.2])))
    gold = GoldSpans(
        *(np.append(c, v) for c, v in zip(gold, (100, 0, 1, 1), strict=False)), annotated=np.ones(101, bool)
    )
    assert tune(found, gold, [0.5, 0.5]).thresholds == [pytest.approx(0.2), 0.5]
    assert len(set(tune(found, gold, [0.5, 0.5], one=True).thresholds)) == 1


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


def test_text_counts_take_the_thresholds_of_even_and_odd_texts():
    texts = [Candidates(*np.array([[0, 1], [1, 2], [0, 1]]), logit([0.4, 0.9])) for _ in range(3)]
    gold = GoldSpans(*np.array([[0, 0, 1, 0], [1, 0, 1, 0], [1, 4, 5, 1]]).T, annotated=np.ones(3, bool))
    counts = text_counts(texts, gold, [[0.3, 0.95], [0.5, 0.5]])
    assert counts.tolist() == [[1, 1, 1], [0, 1, 2], [0, 1, 0]]


def test_text_counts_sum_up_to_the_score_of_the_other_half():
    random = np.random.default_rng(0)
    scores = random.random(200)
    found, gold = scored_texts(scores, scores + random.normal(0, 0.3, 200) > 0.6)
    tuning = tune(found, gold, [0.5])
    hits, n_found, n_gold = text_counts(found, gold, tuning.of_halves[::-1]).sum(axis=0)
    assert 2 * hits / (n_found + n_gold) == pytest.approx(tuning.other_half[tuning.choice])
