import numpy as np
import pytest

from spacy_medflat.ner import calibration
from spacy_medflat.ner.calibration import FitSettings, fit, from_bytes, pairs
from spacy_medflat.ner.evidence import ABSENT, Evidence, SpanTable

QUICK = FitSettings(networks=2, hidden=8, least_steps=300, most_steps=300, batch=256, rate=0.02)
ALONE = FitSettings(networks=1, hidden=0, least_steps=300, most_steps=300, batch=256, rate=0.05, weight_decay=0.0)


def draw(n=4000, labels=2, seed=0):
    """Spans whose chance to be gold is sigmoid(logit / 2 + 2 * word - 1), and what evidence says of them."""
    rng = np.random.default_rng(seed)
    logits = rng.uniform(-5, 5, (n, labels)).astype(np.float32)
    word = (rng.random((n, 1)) < 0.3).astype(np.float32)
    start = np.arange(n) * 3
    chance = 1 / (1 + np.exp(-(logits / 2 + 2 * word - 1)))
    gold = rng.random((n, labels)) < chance
    own = rng.random((n, labels, 1)).astype(np.float32)
    return Evidence(SpanTable(start, start + 2, logits), word, own, word[:, 0] > 0), gold, chance


def test_scores_become_the_chances_that_they_were_drawn_with():
    evidence, gold, _ = draw()
    fitted = fit([evidence], [gold], QUICK)
    other, _, chance = draw(seed=1)
    row, label = pairs(other)
    score = 1 / (1 + np.exp(-fitted(other, row, label)))
    assert np.abs(score - chance[row, label]).mean() < 0.03
    alone = fit([evidence], [gold], ALONE)
    without = 1 / (1 + np.exp(-alone(other, row, label)))
    assert np.abs(without - chance[row, label]).mean() > 0.1
    # A scale and a bias for each label, and nothing else.
    np.testing.assert_allclose(
        alone(other, row, label), alone.scale[label] * other.spans.logits[row, label] + alone.bias[label], rtol=1e-5
    )


def test_the_formula():
    evidence, gold, _ = draw(200)
    c = fit([evidence], [gold], FitSettings(networks=2, hidden=4, least_steps=20, most_steps=20))
    row, label = pairs(evidence)
    for r, m in list(zip(row, label, strict=True))[:20]:
        shared = np.clip((evidence.shared[r] - c.mean_shared) / c.deviation_shared, -5, 5)
        own = np.clip((evidence.own[r, m] - c.mean_own) / c.deviation_own, -5, 5)
        hidden = np.maximum(shared @ c.shared + own @ c.own + c.label[m], 0)
        expected = c.scale[m] * evidence.spans.logits[r, m] + c.bias[m] + hidden @ c.output
        assert c(evidence, np.array([r]), np.array([m]))[0] == pytest.approx(expected, rel=1e-4, abs=1e-5)


def test_a_fit_is_the_same_again_and_survives_its_bytes():
    evidence, gold, _ = draw(300)
    one, two = (fit([evidence], [gold], FitSettings(least_steps=10, most_steps=10)) for _ in range(2))
    assert one.to_bytes() == two.to_bytes()
    row, label = pairs(evidence)
    assert (from_bytes(one.to_bytes())(evidence, row, label) == one(evidence, row, label)).all()


def test_which_pairs_are_looked_at():
    logits = np.full((4, 2), ABSENT, dtype=np.float32)
    logits[0] = [-5.0, -6.5]
    logits[1] = [-7.0, -8.5]
    logits[2] = [-7.0, -7.5]
    start = np.arange(4)
    noted = np.array([False, False, True, True])
    evidence = Evidence(SpanTable(start, start + 1, logits), np.zeros((4, 0)), np.zeros((4, 2, 0)), noted)
    assert list(zip(*pairs(evidence), strict=True)) == [(0, 0), (2, 0), (2, 1)]
    always = pairs(evidence, np.array([3]))
    assert list(zip(*always, strict=True)) == [(0, 0), (2, 0), (2, 1), (3, 0), (3, 1)]


def test_without_gold_among_the_candidates():
    evidence, gold, _ = draw(10)
    with pytest.raises(ValueError, match="no candidate of these texts is a gold span"):
        fit([evidence], [np.zeros_like(gold)], QUICK)
    assert calibration.LOWEST_OF_WORDS < calibration.LOWEST_LOGIT
