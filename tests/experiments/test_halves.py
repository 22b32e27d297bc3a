import pytest

from spacy_medflat.corpus.record import Entity
from spacy_medflat.experiments.halves import tuned_f1

THRESHOLDS = {"dis": 0.5}


def text(right, wrong=None):
    """One gold span found with a probability, and perhaps one that is not gold."""
    spans = {Entity(0, 2, "dis"): right}
    return frozenset({Entity(0, 2, "dis")}), spans if wrong is None else {**spans, Entity(5, 6, "dis"): wrong}


def f1_of(*texts):
    gold, predictions = zip(*texts, strict=True)
    return tuned_f1(gold, predictions, THRESHOLDS, min_gold=1)


def test_a_threshold_that_both_halves_agree_on():
    assert f1_of(*[text(0.3, 0.1)] * 4) == 1.0


def test_a_threshold_is_scored_on_the_texts_that_did_not_choose_it():
    # Even texts ask for a threshold below 0.2, odd ones for one between 0.4 and 0.6. With the other half's,
    # even texts find nothing, and odd ones both.
    assert f1_of(*[text(0.2), text(0.6, 0.4)] * 2) == pytest.approx(2 * 2 / (4 + 4))


def test_gold_of_unknown_labels_counts_as_missed():
    gold, spans = text(0.9)
    strange = gold | {Entity(0, 1, "equ")}
    assert tuned_f1([strange, gold], [spans, spans], THRESHOLDS, min_gold=1) == pytest.approx(2 * 2 / (2 + 3))
