import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spacy_medflat.ner.spans import Candidates, logit
from spacy_medflat.scale.items import Document
from spacy_medflat.selection.reading import ReadNote
from spacy_medflat.selection.uncertainty import OVERHEAD, entropy, label_bits


def found(*spans, labels=None):
    start, end, score = (np.array(column) for column in zip(*spans, strict=True))
    return Candidates(start, end, np.array(labels or [0] * len(start)), logit(score))


def uncertainty(length, *spans):
    bits = tuple(label_bits(found(*spans), 1).tolist())
    return ReadNote(Document("肺" * length, {}, None, ""), bits=bits).uncertainty


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


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(1, 4), st.integers(0, 2), st.floats(0, 1)), min_size=1))
def test_the_most_unsure_span_of_each_start_counts_for_its_label(spans):
    candidates = found(*((start, start + n, p) for start, n, _, p in spans), labels=[label for *_, label, _ in spans])
    each = entropy(candidates)
    bits = label_bits(candidates, 3)
    most = {start: max(e for e, span in zip(each, spans, strict=True) if span[0] == start) for start, *_ in spans}
    assert bits.sum() == pytest.approx(sum(most.values()), abs=1e-9)
    # Of equally unsure spans any may count.
    if len(set(each)) == len(spans):
        naive = [0.0] * 3
        for e, (start, _, label, _) in zip(each, spans, strict=True):
            naive[label] += e * (e == most[start])
        assert bits == pytest.approx(naive, abs=1e-9)


def test_uncertainty_is_bits_for_each_character_and_the_opening():
    assert uncertainty(30, (0, 2, 0.5), (1, 4, 0.5)) == pytest.approx(2 / (30 + OVERHEAD))
    assert label_bits(Candidates.empty(), 2).tolist() == [0.0, 0.0]
    assert ReadNote(Document("肺", {}, None, "")).uncertainty == 0.0


def test_a_long_text_is_not_more_unsure_for_its_length_and_a_fragment_not_for_its_shortness():
    short = uncertainty(2, (0, 2, 0.5))
    medium = uncertainty(40, *((i, i + 2, 0.5) for i in range(0, 40, 4)))
    long = uncertainty(4000, *((i, i + 2, 0.5) for i in range(0, 4000, 400)))
    assert long < short < medium
