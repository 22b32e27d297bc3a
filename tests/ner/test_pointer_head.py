import numpy as np
import pytest
import torch

from spacy_medflat.ner import band as band_module
from spacy_medflat.ner.band import make_band
from spacy_medflat.ner.pointer import EfficientGlobalPointerScores, GlobalPointerScores
from spacy_medflat.ner.pointer_head import span_loss
from spacy_medflat.ner.spans import GoldSpans

from . import reference

HEAD_SIZE, N_LABELS = 4, 2
HEADS = [
    (EfficientGlobalPointerScores(HEAD_SIZE), 2 * HEAD_SIZE + 2 * N_LABELS, reference.efficient_logit),
    (GlobalPointerScores(HEAD_SIZE), (2 * HEAD_SIZE + 1) * N_LABELS, reference.pointer_logit),
]


def gold_spans(rows, n_docs, annotated=None):
    columns = np.array(rows, dtype=np.int64).reshape(-1, 4).T
    return GoldSpans(*columns, annotated=np.ones(n_docs, bool) if annotated is None else np.array(annotated))


def make_features(lengths, width, dtype=torch.float64):
    torch.manual_seed(0)
    return torch.randn(sum(lengths), width, dtype=dtype, requires_grad=True)


@pytest.mark.parametrize(("scores", "width", "logit"), HEADS)
@pytest.mark.parametrize("max_width", [3, 20])
@pytest.mark.parametrize("chunk_scores", [10, 2**22])
def test_loss_and_gradient_equal_the_formula(monkeypatch, scores, width, logit, max_width, chunk_scores):
    monkeypatch.setattr(band_module.iter_chunks, "__defaults__", (chunk_scores,))
    lengths = [9, 0, 1, 14, 3]
    gold = {(0, 0, 3, 0), (0, 1, 2, 0), (0, 1, 2, 1), (2, 0, 1, 1), (3, 5, 8, 0), (3, 13, 14, 1), (3, 6, 7, 0)}
    features = make_features(lengths, width)
    ours = span_loss(features, make_band(np.array(lengths), max_width, 5), scores, gold_spans(sorted(gold), 5))
    (our_gradient,) = torch.autograd.grad(ours, features)
    naive = reference.loss(features.split(lengths), logit, gold, max_width, HEAD_SIZE, N_LABELS)
    (naive_gradient,) = torch.autograd.grad(naive, features)
    torch.testing.assert_close(ours, naive, rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(our_gradient, naive_gradient, rtol=1e-10, atol=1e-12)


def test_texts_without_annotation_add_nothing():
    scores, width, _ = HEADS[0]
    features = make_features([6, 8], width)
    band = make_band(np.array([6, 8]), 10)
    loss = span_loss(features, band, scores, gold_spans([(1, 0, 2, 0)], 2, annotated=[False, True]))
    (gradient,) = torch.autograd.grad(loss, features)
    alone = span_loss(features[6:], make_band(np.array([8]), 10), scores, gold_spans([(0, 0, 2, 0)], 1))
    torch.testing.assert_close(loss, alone)
    assert (gradient[:6] == 0).all() and (gradient[6:] != 0).any()


def test_large_logits_give_finite_gradients():
    scores, width, _ = HEADS[0]
    features = (make_features([12], width, torch.float32) * 100).detach().requires_grad_(True)
    loss = span_loss(features, make_band(np.array([12]), 12), scores, gold_spans([(0, 3, 5, 1)], 1))
    (gradient,) = torch.autograd.grad(loss, features)
    assert torch.isfinite(loss) and torch.isfinite(gradient).all()


def test_a_batch_without_tokens():
    scores, width, _ = HEADS[0]
    features = torch.zeros(0, width, requires_grad=True)
    loss = span_loss(features, make_band(np.array([0, 0]), 5), scores, gold_spans([], 2))
    loss.backward()
    assert loss == 0
