import dataclasses

from spacy_medflat.experiments.report.headline import headline, significant
from spacy_medflat.experiments.report.results import read_results
from spacy_medflat.experiments.report.summary import detail, lines
from spacy_medflat.experiments.scores import Difference

from .example_runs import write_experiments


def test_the_best_row_against_the_baseline(results):
    found = lines(results, resamples=200)
    told = headline(results, found, [detail(results, results.rows[0]), detail(results, results.rows[2])], 200)
    assert told[0].startswith("better (The row better) has the highest mean F1 of 3 rows: ")
    assert "over 3 seeds" in told[0]
    assert told[1].startswith("The baseline, plain, has ") and told[1].endswith(": significant.")
    assert "significantly better: better (+" in told[2] and "significantly worse: cut (−" in told[2]
    text = " ".join(told)
    assert f"of {sum(map(len, results.gold)):,} gold spans" in text and "most frequent kind of error is" in text
    assert "has the highest F1" in text and "tuned on other texts" in text and "which flatters it" in text


def test_a_baseline_without_results(results):
    changed = dataclasses.replace(results, baseline="large")
    told = headline(changed, lines(results, resamples=20), [detail(results, results.rows[2])], 20)
    assert told[1] == "The baseline, large, has no results yet."


def test_a_single_row_with_a_single_seed(tmp_path):
    results = read_results(write_experiments(tmp_path, {"plain": (0.7, [0])}))
    told = headline(results, lines(results, resamples=20), [detail(results, results.rows[0])], 20)
    assert told[0].startswith("plain (The row plain) is the only row with results. Its F1 is ")
    assert told[0].endswith("% with one seed.") and told[1] == "It is the baseline."
    assert "flatters" not in told[-1]


def test_significance():
    assert significant(Difference(0.1, 0.01, 0.2, 0.0)) and significant(Difference(-0.1, -0.2, -0.01, 1.0))
    assert not significant(Difference(0.1, -0.01, 0.2, 0.1))
