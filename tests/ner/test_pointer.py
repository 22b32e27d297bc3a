import pytest
import torch

from spacy_medflat.ner.pointer import EfficientGlobalPointer, GlobalPointer, rotate

from . import reference

POINTERS = [(EfficientGlobalPointer, reference.efficient_logit), (GlobalPointer, reference.pointer_logit)]
N_IN, N_LABELS, HEAD_SIZE = 12, 3, 8


def make(pointer, n_tokens):
    torch.manual_seed(0)
    module = pointer(N_IN, N_LABELS, HEAD_SIZE).double()
    return module, torch.randn(n_tokens, N_IN, dtype=torch.float64)


@pytest.mark.parametrize(("pointer", "logit"), POINTERS)
def test_logits_equal_the_formula(pointer, logit):
    module, x = make(pointer, 7)
    features = module(x)
    rows = torch.arange(7)
    expected = torch.stack(
        [torch.stack([torch.stack([logit(module, x, i, j, n) for j in range(7)]) for i in range(7)]) for n in range(3)]
    )
    torch.testing.assert_close(
        features.logits(rows[None], rows[None, 2:])[0], expected[..., 2:], rtol=1e-12, atol=1e-12
    )
    first, last, label = (cells.flatten() for cells in torch.meshgrid(rows, rows, torch.arange(3), indexing="ij"))
    single = features.logits_at(first, last, label)
    torch.testing.assert_close(single, expected[label, first, last], rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(("pointer", "logit"), POINTERS)
def test_logits_depend_on_the_distance_only(pointer, logit):
    module, x = make(pointer, 150)
    rows = torch.arange(15)[None]
    whole = module(x).logits(rows + 135, rows + 135)
    torch.testing.assert_close(whole, module(x[135:]).logits(rows, rows), rtol=1e-11, atol=1e-11)


@pytest.mark.parametrize(("pointer", "logit"), POINTERS)
def test_an_untrained_head_finds_next_to_nothing(pointer, logit):
    torch.manual_seed(0)
    rows = torch.arange(100)[None]
    logits = pointer(64, 9, 64)(torch.randn(100, 64)).logits(rows, rows)
    assert (logits > 0).float().mean() < 0.002


@pytest.mark.parametrize("shape", [(150, 16), (150, 3, 16), (0, 16)])
def test_rotation_keeps_lengths(shape):
    query, key = torch.randn(2, *shape, dtype=torch.float64)
    rotated_query, rotated_key = rotate(query, key, 10000.0)
    torch.testing.assert_close(rotated_key.norm(dim=-1), key.norm(dim=-1))
    torch.testing.assert_close(rotated_query.norm(dim=-1) * 4, query.norm(dim=-1))
    assert rotate(query.float(), key.float(), 10000.0)[0].dtype == torch.float32
