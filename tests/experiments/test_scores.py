import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spacy_medflat.corpus.record import Entity
from spacy_medflat.experiments.scores import Score, difference, resampled_f1, sample_rows, score, spread, text_counts

from .helpers import corpora


def naive_f1(rows):
    hits, found, gold = (sum(row[i] for row in rows) for i in range(3))
    p, r = hits / found if found else 0.0, hits / gold if gold else 0.0
    return 2 * p * r / (p + r) if p + r else 0.0


def draw(random, texts=20):
    gold, found = random.integers(0, 5, texts), random.integers(0, 5, texts)
    return np.stack([random.integers(0, np.minimum(gold, found) + 1), found, gold], axis=1)


def test_hand_made_counts():
    gold = [{Entity(0, 4, "bod"), Entity(0, 6, "dis")}, set(), {Entity(1, 2, "sym")}]
    found = [{Entity(0, 4, "bod"), Entity(0, 6, "sym")}, {Entity(0, 1, "sym")}, set()]
    counts = text_counts(gold, found)
    assert counts.tolist() == [[1, 2, 2], [0, 1, 0], [0, 0, 1]]
    assert score(counts) == Score(1 / 3, 1 / 3, pytest.approx(1 / 3))
    assert score(counts[1:]) == Score(0.0, 0.0, 0.0)


@given(corpora)
def test_micro_scores_match_precision_and_recall_over_all_spans(texts):
    counts = text_counts(*zip(*texts, strict=True))
    gold = {(i, e) for i, (g, _) in enumerate(texts) for e in g}
    found = {(i, e) for i, (_, f) in enumerate(texts) for e in f}
    total = score(counts)
    assert total.p * len(found) == pytest.approx(len(gold & found))
    assert total.r * len(gold) == pytest.approx(len(gold & found))
    assert total.f == pytest.approx(naive_f1(counts.tolist()))


def test_spread():
    found = spread([0.6, 0.7, 0.65])
    assert (found.mean, found.low, found.high, found.sd) == pytest.approx((0.65, 0.6, 0.7, 0.05))
    assert spread([0.6]).sd is None


@given(st.integers(0, 2**32 - 1), st.sampled_from([1, 99, 101, 230]))
def test_resampling_matches_drawing_texts_one_by_one(seed, resamples):
    random = np.random.default_rng(seed)
    runs = [draw(random), draw(random)]
    found = resampled_f1(runs, resamples, seed)
    for i in range(0, resamples, 37):
        # numpy draws one multinomial after the other from the same stream.
        weights = np.random.default_rng(seed).multinomial(20, np.full(20, 1 / 20), size=i + 1)[i]
        drawn = np.repeat(np.arange(20), weights)
        for run, values in zip(runs, found, strict=True):
            assert values[i] == pytest.approx(naive_f1(run[drawn].tolist()))
    assert found.shape == (2, resamples)


def test_the_same_texts_are_drawn_for_every_row():
    random = np.random.default_rng(1)
    run = draw(random)
    sampled = sample_rows({"a": [run], "b": [run], "c": [draw(random)]})
    same = difference(sampled["a"], sampled["b"])
    assert (same.mean, same.low, same.high, same.not_above) == (0.0, 0.0, 0.0, 1.0)
    alone = sample_rows({"a": [run]})
    assert np.array_equal(alone["a"].resampled, sampled["a"].resampled)


def test_f1_is_averaged_over_seeds_inside_a_resample():
    random = np.random.default_rng(2)
    runs = [draw(random) for _ in range(3)]
    sampled = sample_rows({"a": runs}, resamples=50)["a"]
    assert sampled.f == pytest.approx(np.mean([naive_f1(run.tolist()) for run in runs]))
    assert sampled.resampled == pytest.approx(resampled_f1(runs, 50).mean(axis=0))
    assert sample_rows({}) == {}


def test_a_better_row_is_above_and_the_mirror_image_is_below():
    random = np.random.default_rng(3)
    worse = draw(random, 200)
    better = worse.copy()
    better[:, 0] = np.minimum(better[:, 1], better[:, 2])
    sampled = sample_rows({"worse": [worse], "better": [better]})
    up, down = (difference(sampled[a], sampled[b]) for a, b in (("better", "worse"), ("worse", "better")))
    assert 0 < up.low < up.mean < up.high and up.not_above == 0.0
    assert (down.mean, down.low, down.high) == pytest.approx((-up.mean, -up.high, -up.low)) and down.not_above == 1.0
