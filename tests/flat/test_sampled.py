"""Sampled products against dense ones in float64."""

import subprocess
import sys
from pathlib import Path

import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from spacy_medflat.flat.sampled import SampledProduct, sampled_scores, weighted_queries, weighted_rows

ROOT = Path(__file__).parents[2]
sizes = st.integers(1, 6)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 1000), n_heads=sizes, n_queries=sizes, n_keys=st.integers(0, 6), n_rows=sizes)
def test_equal_dense_products(seed, n_heads, n_queries, n_keys, n_rows):
    """Rows may come in any order, and several times."""
    torch.manual_seed(seed)
    query, rows = torch.randn(n_heads, n_queries, 3).double(), torch.randn(n_heads, n_rows, 3).double()
    index = torch.randint(0, n_rows, (n_queries, n_keys))
    weights = torch.randn(n_heads, n_queries, n_keys).double()
    chosen = rows[:, index]
    torch.testing.assert_close(sampled_scores(query, rows, index), (query[:, :, None] * chosen).sum(-1))
    torch.testing.assert_close(weighted_rows(weights, rows, index), (weights[..., None] * chosen).sum(2))
    expected = torch.zeros_like(rows)
    expected.index_add_(1, index.flatten(), (weights[..., None] * query[:, :, None]).flatten(1, 2))
    torch.testing.assert_close(weighted_queries(weights, query, index, n_rows), expected)


def test_gradients_are_those_of_differences():
    torch.manual_seed(0)
    query, rows = torch.randn(2, 3, 4).double(), torch.randn(2, 5, 4).double()
    index = torch.tensor([[4, 0], [0, 0], [2, 1]])
    assert torch.autograd.gradcheck(
        lambda q, r: SampledProduct.apply(q, r, index), (query.requires_grad_(), rows.requires_grad_())
    )


def test_half_precision_is_summed_in_single():
    query, rows = torch.ones(1, 2, 8).bfloat16(), torch.full((1, 3, 8), 1.0078125).bfloat16()
    found = sampled_scores(query, rows, torch.tensor([[0], [2]]))
    assert found.dtype == torch.float32 and found.flatten().tolist() == [8.0625, 8.0625]
    assert SampledProduct.apply(query, rows, torch.tensor([[0], [2]])).dtype == torch.bfloat16


def test_users_are_not_warned():
    """torch warns once, at the first product of a process."""
    code = (
        "import torch; from spacy_medflat.flat.sampled import sampled_scores as f; "
        "f(torch.ones(1, 1, 2), torch.ones(1, 1, 2), torch.tensor([[0]]))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    assert "Sparse" not in done.stderr


def test_no_keys_have_no_scores():
    query, rows, index = torch.randn(2, 3, 4), torch.randn(2, 5, 4), torch.zeros((3, 0), dtype=torch.long)
    assert sampled_scores(query, rows, index).shape == (2, 3, 0)
    assert not weighted_rows(torch.zeros(2, 3, 0), rows, index).any()
    assert not weighted_queries(torch.zeros(2, 3, 0), query, index, 5).any()
