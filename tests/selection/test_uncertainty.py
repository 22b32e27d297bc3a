import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spacy_medflat.ner.spans import Candidates, logit
from spacy_medflat.selection.uncertainty import OVERHEAD, entropy, text_uncertainty


def found(*spans):
    start, end, score = (np.array(column) for column in zip(*spans, strict=True))
    return Candidates(start, end, np.zeros(len(start), dtype=np.int64), logit(score))


@given(st.lists(st.floats(0, 1), min_size=1))
def test_entropy_is_that_of_a_coin(scores):
    bits = entropy(found(*((0, 1, score) for score in scores)))
    p = np.array(scores)
    with np.errstate(divide="ignore", invalid="ignore"):
        naive = -(np.nan_to_num(p * np.log2(p)) + np.nan_to_num((1 - p) * np.log2(1 - p)))
    assert bits == pytest.approx(naive, abs=1e-6) and (bits >= 0).all() and (bits <= 1 + 1e-12).all()


def test_sure_scores_tell_nothing_however_large_the_logit():
    sure = Candidates(*(np.zeros(4, dtype=np.int64),) * 3, np.array([np.inf, -np.inf, 800.0, -800.0]))
    assert entropy(sure) == pytest.approx(0.0)


def test_the_most_unsure_span_of_each_start_counts():
    one = text_uncertainty(found((0, 2, 0.5)), 30)
    assert one == pytest.approx(1 / (30 + OVERHEAD))
    assert text_uncertainty(found((0, 2, 0.5), (0, 4, 0.4), (0, 5, 0.9)), 30) == one
    assert text_uncertainty(found((0, 2, 0.5), (1, 4, 0.5)), 30) == pytest.approx(2 * one)
    assert text_uncertainty(Candidates.empty(), 30) == 0.0


def test_a_long_text_is_not_more_unsure_for_its_length_and_a_fragment_not_for_its_shortness():
    short = text_uncertainty(found((0, 2, 0.5)), 2)
    medium = text_uncertainty(found(*((i, i + 2, 0.5) for i in range(0, 40, 4))), 40)
    long = text_uncertainty(found(*((i, i + 2, 0.5) for i in range(0, 4000, 400))), 4000)
    assert long < short < medium
