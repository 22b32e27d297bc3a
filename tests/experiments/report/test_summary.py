import numpy as np
import pytest

from spacy_medflat.corpus.record import Entity
from spacy_medflat.experiments.report.summary import (
    MAX_LENGTH,
    SPLITS,
    best_row,
    detail,
    environments,
    lines,
    worst_cases,
)
from spacy_medflat.experiments.scores import score


def test_each_environment_once(results):
    assert environments(results) == [
        "2 threads on 2 cores, Linux x86_64; Python 3.11.0, spacy 3.8.0, torch 2.9.0",
    ]


def test_lines(results):
    found = lines(results, resamples=200)
    assert [line.row.name for line in found] == ["plain", "cut", "better"] and found[2].seeds == [0, 1, 2]
    f1s = [score(run.counts).f for run in found[2].row.runs]
    assert (found[2].f.mean, found[2].f.low, found[2].f.high) == pytest.approx((np.mean(f1s), min(f1s), max(f1s)))
    assert found[0].difference is None and found[1].f.sd is None
    gap = found[2].difference
    assert gap.mean == pytest.approx(found[2].f.mean - found[0].f.mean) and gap.low > 0 and gap.not_above == 0
    assert found[1].difference.mean < 0 and (found[2].steps, found[2].seconds) == (1792, 1793)
    assert best_row(found).name == "better"


def test_details_are_sums_over_seeds(results):
    row = results.rows[2]
    found = detail(results, row)
    totals = sum(run.counts.sum(axis=0) for run in row.runs).tolist()
    for split in SPLITS:
        right, predicted, reached, gold = sum(found.splits[split].values()).tolist()
        assert [right, predicted, gold] == totals and reached == right
    assert found.wrong.total() == totals[1] - totals[0] and found.lost.total() == totals[2] - totals[0]
    assert sum(count for (a, b), count in found.confusion.items() if a == b) == totals[0]
    assert list(found.splits["mention"]) == ["seen", "unseen"] and found.seeds == 3


A, B, C = Entity(0, 1, "x"), Entity(1, 2, "x"), Entity(2, 3, "x")


def test_the_most_errors_first_without_right_and_without_long_texts():
    texts = ["abc", "abc", "abc", "a" * (MAX_LENGTH + 1), "abc"]
    gold = [{A}, {A, B}, {A}, {A, B, C}, set()]
    found = [{A: 0.9}, {C: 0.9}, {B: 0.9}, {}, {A: 0.9, B: 0.9}]
    cases = worst_cases(texts, gold, found)
    assert [(case.index, case.errors) for case in cases] == [(1, 3), (2, 2), (4, 2)]
    assert [case.index for case in worst_cases(texts, gold, found, count=1)] == [1]
