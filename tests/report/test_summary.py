import numpy as np
import pytest

from spacy_medflat.experiments.scores import score
from spacy_medflat.report.summary import SPLITS, best_row, detail, lines


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
