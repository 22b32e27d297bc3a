"""Attention with scores of content and of relative position, without a vector for every pair.

    score_ij = scale ((q_i + u) · k_j + (q_i + v) · G[length_j, i - head_j])

Position rows G serve all pairs of the same key length and head distance. A block of queries is multiplied with all rows
that its keys may need, which is dense and fast, and what the keys do need is then picked out.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn import functional as F

# Values of the dense scores of a block: on a CPU they should stay in its cache, a GPU wants more to do at once.
BLOCK_VALUES = 2**20
BLOCK_QUERIES = 64


@dataclass(frozen=True)
class Keys:
    """The keys of a batch of windows: characters, words, or both.

    lengths (int64 [batch, keys]): for each key, which of the grid's key lengths it has.
    heads (int64 [batch, keys]): its first character, counted in the window, below `reach`.
    mask (bool [batch, keys]): False where there is no key.
    reach (int): characters of the longest window.
    n_lengths (sequence of int): for each window, its largest value in `lengths` plus 1. Known on the CPU.
    null (bool): also let a query attend to nothing: one more key with score 0 and value 0.
    """

    lengths: Tensor
    heads: Tensor
    mask: Tensor
    reach: int
    n_lengths: Sequence[int]
    null: bool = False


def relative_attention(
    content: Tensor,
    position: Tensor,
    keys: Tensor,
    values: Tensor,
    rows: Tensor,
    where: Keys,
    scale: float,
    dropout: float = 0.0,
) -> Tensor:
    """Attend from every character to all keys.

    content, position (float [heads, batch, queries, d]): q + u and q + v; query i is the window's character i.
    keys, values (float [heads, batch, keys, d])
    rows (float [heads, lengths, 2 * reach - 1, d]): G, head distances from -(reach - 1) to reach - 1.
    where: what the keys are.
    dropout (float): on the attention, in training.
    RETURNS (float [heads, batch, queries, d])
    """
    if torch.is_grad_enabled():
        return _RelativeAttention.apply(content, position, keys, values, rows, where, scale, dropout)
    out = torch.empty_like(content)
    hidden = ~where.mask[None, :, None]
    if where.null:
        keys, values = F.pad(keys, (0, 0, 0, 1)), F.pad(values, (0, 0, 0, 1))
    for block in _blocks(position, rows, where):
        b, q = block.windows, block.queries
        bias = block.position_scores(position).mul_(scale).masked_fill_(hidden[:, b], -torch.inf)
        if where.null:
            bias = F.pad(bias, (0, 1))
        out[:, b, q] = F.scaled_dot_product_attention(
            content[:, b, q], keys[:, b], values[:, b], attn_mask=bias, scale=scale
        )
    return out


@dataclass(frozen=True)
class _Block:
    """Some queries of some windows.

    rows (float [heads, lengths * distances, d]): the position rows that these queries need, whatever their keys. All
        windows have the rows of the shorter key lengths; blocks that share queries share memory.
    index (int64 [heads, windows, queries, keys], heads not spread out): the row of each pair.
    """

    windows: slice
    queries: slice
    rows: Tensor
    index: Tensor

    def position_scores(self, position: Tensor) -> Tensor:
        """(q + v) · G, unscaled (float [heads, windows, queries, keys])."""
        query = position[:, self.windows, self.queries]
        dense = torch.matmul(query.flatten(1, 2), self.rows.transpose(1, 2))
        return dense.unflatten(1, query.shape[1:3]).gather(3, self.index)


def _blocks(position: Tensor, rows: Tensor, where: Keys) -> Iterator[_Block]:
    n_heads, n_batch, n_queries, _ = position.shape
    size = min(BLOCK_QUERIES, n_queries)
    group = max(1, block_values(rows) // (n_heads * size * rows.shape[1] * (size + where.reach - 1)))
    for start in range(0, n_queries, size):
        queries = slice(start, min(start + size, n_queries))
        near = _near_rows(rows, queries, where.reach)
        n_distances, flat = near.shape[2], near.flatten(1, 2)
        first = where.lengths * n_distances + (where.reach - 1 - where.heads)
        # With the next query, a key takes the next row.
        steps = torch.arange(queries.stop - queries.start, device=first.device)
        for b in range(0, n_batch, group):
            windows = slice(b, min(b + group, n_batch))
            index = (first[windows, None, :] + steps[:, None]).expand(n_heads, -1, -1, -1)
            yield _Block(windows, queries, flat[:, : max(where.n_lengths[windows]) * n_distances], index)


def block_values(rows: Tensor) -> int:
    """The most dense scores to compute at once, on the device of the rows."""
    return BLOCK_VALUES if rows.device.type == "cpu" else 64 * BLOCK_VALUES


def _near_rows(rows: Tensor, queries: slice, reach: int) -> Tensor:
    """The rows of the head distances that occur with some queries: a view, [heads, lengths, distances, d]."""
    return rows[:, :, queries.start : queries.stop + reach - 1]


class _RelativeAttention(torch.autograd.Function):
    """`relative_attention` with gradients. It keeps the attention, but no score of a row that no pair takes."""

    @staticmethod
    def forward(
        ctx: Any,
        content: Tensor,
        position: Tensor,
        keys: Tensor,
        values: Tensor,
        rows: Tensor,
        where: Keys,
        scale: float,
        dropout: float,
    ) -> Tensor:
        # The backward pass draws the same dropout again.
        seed = int(torch.randint(1, 2**62, ())) if dropout else 0
        generator = _generator(content, seed)
        out = torch.empty_like(content)
        hidden = ~where.mask[None, :, None]
        kept = []
        for block in _blocks(position, rows, where):
            b, q = block.windows, block.queries
            scores = torch.matmul(content[:, b, q], keys[:, b].transpose(2, 3))
            scores = scores.add_(block.position_scores(position)).mul_(scale)
            scores.masked_fill_(hidden[:, b], -torch.inf)
            if where.null:
                scores = F.pad(scores, (0, 1))
            exact = torch.promote_types(scores.dtype, torch.float32)
            attention = scores.softmax(dim=-1, dtype=exact).to(scores.dtype)
            if where.null:
                attention = attention[..., :-1]
            kept.append(attention)
            out[:, b, q] = torch.matmul(_drop(attention, dropout, generator), values[:, b])
        ctx.save_for_backward(content, position, keys, values, rows, *kept)
        ctx.where, ctx.scale, ctx.dropout, ctx.seed = where, scale, dropout, seed
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        content, position, keys, values, rows, *kept = ctx.saved_tensors
        where, scale, dropout = ctx.where, ctx.scale, ctx.dropout
        d_out = grads[0].to(content.dtype)
        d_content, d_position = torch.empty_like(content), torch.empty_like(position)
        # These are sums over many blocks, which half precision would not survive.
        exact = torch.promote_types(content.dtype, torch.float32)
        d_keys, d_values, d_rows = (torch.zeros_like(x, dtype=exact) for x in (keys, values, rows))
        generator = _generator(content, ctx.seed)
        for attention, block in zip(kept, _blocks(position, rows, where), strict=True):
            b, q = block.windows, block.queries
            d_attention = torch.matmul(d_out[:, b, q], values[:, b].transpose(2, 3))
            used = attention
            if dropout:
                mask = _dropout_mask(attention, dropout, generator)
                used, d_attention = attention * mask, d_attention.mul_(mask)
            d_values[:, b] += torch.matmul(used.transpose(2, 3), d_out[:, b, q])
            d_scores = d_attention.mul_(attention)
            d_scores.sub_(attention * d_scores.sum(dim=-1, keepdim=True)).mul_(scale)
            d_content[:, b, q] = torch.matmul(d_scores, keys[:, b])
            d_keys[:, b] += torch.matmul(d_scores.transpose(2, 3), content[:, b, q])
            d_dense = d_scores.new_zeros((*d_scores.shape[:3], block.rows.shape[1]))
            d_dense = d_dense.scatter_add_(3, block.index, d_scores).flatten(1, 2)
            d_position[:, b, q] = torch.matmul(d_dense, block.rows).unflatten(1, d_scores.shape[1:3])
            d_block = torch.matmul(d_dense.transpose(1, 2), position[:, b, q].flatten(1, 2))
            near = _near_rows(d_rows, q, where.reach)
            near[:, : d_block.shape[1] // near.shape[2]] += d_block.unflatten(1, (-1, near.shape[2]))
        d_keys, d_values, d_rows = d_keys.to(keys.dtype), d_values.to(values.dtype), d_rows.to(rows.dtype)
        return d_content, d_position, d_keys, d_values, d_rows, None, None, None


def _generator(like: Tensor, seed: int) -> torch.Generator | None:
    return torch.Generator(device=like.device).manual_seed(seed) if seed else None


def _drop(attention: Tensor, dropout: float, generator: torch.Generator | None) -> Tensor:
    return attention * _dropout_mask(attention, dropout, generator) if dropout else attention


def _dropout_mask(attention: Tensor, dropout: float, generator: torch.Generator | None) -> Tensor:
    return torch.empty_like(attention).bernoulli_(1.0 - dropout, generator=generator).div_(1.0 - dropout)
