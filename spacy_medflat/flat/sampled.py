"""Products of queries with chosen rows alone, SDDMM as sparse libraries call it, and what its gradient needs.

Where a query needs few of many rows, nothing is computed that nobody takes. Results are float32 at least, as half
precision has no such product.

    query (float [heads, queries, d])
    rows (float [heads, rows, d])
    index (int64 [queries, keys]): the row that each key of a query has; the same for all heads, in any order.
    weights (float [heads, queries, keys])
"""

import warnings
from functools import cache
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn import functional as F


def sampled_scores(query: Tensor, rows: Tensor, index: Tensor) -> Tensor:
    """Score_hik = query_hi · rows_h,index_ik.

    RETURNS (float [heads, queries, keys])
    """
    n_heads, (n_queries, n_keys) = len(query), index.shape
    if not index.numel():
        return query.new_zeros((n_heads, n_queries, n_keys))
    # A sparse matrix has not more values in a row than columns.
    if n_keys > rows.shape[1]:
        return torch.cat([sampled_scores(query, rows, part) for part in index.split(rows.shape[1], dim=1)], dim=2)
    query, rows = _exact(query), _exact(rows)
    starts = torch.arange(0, index.numel() + 1, n_keys, dtype=torch.int32, device=index.device)
    columns = index.to(torch.int32).flatten()
    places = torch.zeros((n_heads, index.numel()), dtype=query.dtype, device=index.device)
    _silence_beta_warning()
    chosen = torch.sparse_csr_tensor(
        starts.repeat(n_heads, 1),
        columns.repeat(n_heads, 1),
        places,
        (n_heads, n_queries, rows.shape[1]),
        # Columns are neither sorted nor different, which this product does not need.
        check_invariants=False,
    )
    torch.sparse.sampled_addmm(chosen, query, rows.transpose(1, 2), beta=0.0, out=chosen)
    return chosen.values().view(n_heads, n_queries, n_keys)


def weighted_rows(weights: Tensor, rows: Tensor, index: Tensor) -> Tensor:
    """Σ_k weights_hik rows_h,index_ik: the gradient of the queries.

    RETURNS (float [heads, queries, d])
    """
    weights, rows = _exact(weights), _exact(rows)
    if not index.numel():
        return weights.new_zeros((len(rows), len(index), rows.shape[2]))
    return torch.stack(
        [F.embedding_bag(index, r, per_sample_weights=w, mode="sum") for w, r in zip(weights, rows, strict=True)]
    )


def weighted_queries(weights: Tensor, query: Tensor, index: Tensor, n_rows: int) -> Tensor:
    """Σ_{i, k: index_ik = r} weights_hik query_hi: the gradient of the rows.

    RETURNS (float [heads, n_rows, d])
    """
    weights, query = _exact(weights), _exact(query)
    row, order = index.flatten().sort()
    takers = order.div(index.shape[1], rounding_mode="floor")
    starts = torch.searchsorted(row, torch.arange(n_rows, device=row.device))
    return torch.stack(
        [
            F.embedding_bag(takers, q, starts, per_sample_weights=w.flatten()[order], mode="sum")
            for w, q in zip(weights, query, strict=True)
        ]
    )


class SampledProduct(torch.autograd.Function):
    """`sampled_scores` with gradients, in the dtype of the queries."""

    @staticmethod
    def forward(ctx: Any, query: Tensor, rows: Tensor, index: Tensor) -> Tensor:
        ctx.save_for_backward(query, rows, index)
        return sampled_scores(query, rows, index).to(query.dtype)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, Tensor, None]:
        query, rows, index = ctx.saved_tensors
        d_query, d_rows = weighted_rows(grads[0], rows, index), weighted_queries(grads[0], query, index, rows.shape[1])
        return d_query.to(query.dtype), d_rows.to(rows.dtype), None


@cache
def _silence_beta_warning() -> None:
    """torch warns at the first sparse tensor of a process that they are a beta. Users can do nothing about it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.eye(1).to_sparse_csr()


def _exact(x: Tensor) -> Tensor:
    return x.to(torch.promote_types(x.dtype, torch.float32))
