import pytest
import torch

from spacy_medflat.ner.pointer import (
    EfficientGlobalPointer,
    EfficientGlobalPointerScores,
    GlobalPointer,
    GlobalPointerScores,
    rotate,
)

from . import reference

HEADS = [
    (EfficientGlobalPointer, EfficientGlobalPointerScores, reference.efficient_logit),
    (GlobalPointer, GlobalPointerScores, reference.pointer_logit),
]


@pytest.mark.parametrize(("module", "scores", "logit"), HEADS)
def test_scores_equal_the_formula(module, scores, logit):
    torch.manual_seed(0)
    head_size, n_labels = 8, 3
    features = module(12, n_labels, head_size).double()(torch.randn(7, 12, dtype=torch.float64))
    score = scores(head_size)
    assert score.n_labels(features.shape[-1]) == n_labels
    logits = score(features[None], features[None])[0]
    for label in range(n_labels):
        for i in range(7):
            for j in range(7):
                expected = logit(features, i, j, label, head_size, n_labels)
                torch.testing.assert_close(logits[label, i, j], expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(("module", "scores", "logit"), HEADS)
def test_scores_depend_on_distance_only(module, scores, logit):
    torch.manual_seed(0)
    features = module(12, 2, 8).double()(torch.randn(1, 40, 12, dtype=torch.float64))
    whole = scores(8)(features, features)
    part = scores(8)(features[:, 25:], features[:, 25:])
    torch.testing.assert_close(whole[..., 25:, 25:], part, rtol=1e-11, atol=1e-11)


@pytest.mark.parametrize(("module", "scores", "logit"), HEADS)
def test_an_untrained_head_finds_next_to_nothing(module, scores, logit):
    torch.manual_seed(0)
    features = module(64, 9, 64)(torch.randn(100, 64))[None]
    assert (scores(64)(features, features) > 0).float().mean() < 0.002


def test_rotation_keeps_lengths():
    x = torch.randn(3, 50, 16, dtype=torch.float64)
    torch.testing.assert_close(rotate(x).norm(dim=-1), x.norm(dim=-1))
    assert rotate(x.float()).dtype == torch.float32
