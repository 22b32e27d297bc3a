import numpy as np
import pytest

from spacy_medflat.corpus.record import Entity
from spacy_medflat.experiments.report.curves import precision_recall, row_curves, scored_hits

A, B, C = Entity(0, 1, "x"), Entity(1, 2, "x"), Entity(2, 3, "x")


def test_scores_and_hits():
    scores, hits = scored_hits([{A, B}, set()], [{A: 0.9, C: 0.2}, {B: 0.5}])
    assert scores.tolist() == [0.9, 0.2, 0.5] and hits.tolist() == [True, False, False]


def test_precision_and_recall_as_the_threshold_falls():
    scores, hits = np.array([0.2, 0.9, 0.5, 0.5]), np.array([False, True, True, False])
    precision, recall = precision_recall(scores, hits, gold=4)
    # Spans of equal scores pass together.
    assert precision == pytest.approx([1, 2 / 3, 1 / 2]) and recall == pytest.approx([1 / 4, 1 / 2, 1 / 2])


def test_points_are_thinned_and_the_last_stays():
    scores = np.linspace(0, 1, 5000)
    precision, recall = precision_recall(scores, scores > 0.5, gold=3000, points=50)
    assert len(precision) == 50 and precision[0] == 1 and precision[-1] == pytest.approx(0.5)
    assert recall[-1] == pytest.approx(2500 / 3000)


def test_nothing_found():
    scores, hits = scored_hits([{A}], [{}])
    assert [len(column) for column in precision_recall(scores, hits, 1)] == [0, 0]


def test_curves_of_a_row_pass_through_its_scores(results):
    row = results.rows[2]
    curves = row_curves(results, row)
    hits, found, gold = sum(run.counts.sum(axis=0) for run in row.runs).tolist()
    place = np.argmin(np.abs(curves.recall - hits / gold))
    assert curves.precision[place] == pytest.approx(hits / found, abs=0.02)
    assert 0 < curves.reliability.error < 0.5 and sum(n for *_, n in curves.reliability.bins) >= found
