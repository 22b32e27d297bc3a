import numpy as np
import pytest

from spacy_medflat.ner.reliability import reliability


def test_it_is_the_gap_between_score_and_share():
    result = reliability(np.full(20, 0.81, dtype=np.float32), np.arange(20) % 2 == 0, bins=15)
    assert result.error == pytest.approx(0.31, abs=1e-5) and result.bins == [(pytest.approx(0.81), 0.5, 20)]


def test_empty_bins_are_left_out_and_low_scores_not_looked_at():
    scores, hits = np.array([0.05, 0.95, 1.0, 0.97, 0.01]), np.array([False, True, True, False, True])
    result = reliability(scores, hits, lowest=0.05)
    assert result.bins == [(0.05, 0.0, 1), (pytest.approx(2.92 / 3), pytest.approx(2 / 3), 3)]
    assert result.error == pytest.approx((0.05 + 2.92 - 2) / 4)


def test_nothing_found():
    result = reliability(np.zeros(0, dtype=np.float32), np.zeros(0, dtype=bool))
    assert result.error == 0.0 and result.bins == []
