"""Attention with scores of content and of relative position, without a vector for every pair.

    score_ij = scale ((q_i + u) · k_j + (q_i + v) · G[length_j, i - head_j])

Position rows G serve all pairs of the same key length and head distance. A block of queries is multiplied with all rows
that its keys may need, which is dense and fast, and what the keys do need is then picked out.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

# Values of the dense scores of a block: they should stay in a CPU's cache.
BLOCK_VALUES = 2**20
BLOCK_QUERIES = 64


@dataclass(frozen=True)
class Keys:
    """The keys of a batch of windows: characters, words, or both.

    lengths (int64 [batch, keys]): for each key, which of the grid's key lengths it has.
    heads (int64 [batch, keys]): its first character, counted in the window, below `reach`.
    mask (bool [batch, keys]): False where there is no key.
    reach (int): characters of the longest window.
    null (bool): also let a query attend to nothing: one more key with score 0 and value 0.
    """

    lengths: Tensor
    heads: Tensor
    mask: Tensor
    reach: int
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
    for stripe in _stripes(position, rows, where):
        for b in stripe.groups:
            bias = stripe.position_scores(position, b).mul_(scale).masked_fill_(hidden[:, b], -torch.inf)
            if where.null:
                bias = F.pad(bias, (0, 1))
            out[:, b, stripe.queries] = F.scaled_dot_product_attention(
                content[:, b, stripe.queries], keys[:, b], values[:, b], attn_mask=bias, scale=scale
            )
    return out


@dataclass(frozen=True)
class _Stripe:
    """The same few queries of all windows.

    rows (float [heads, lengths * distances, d]): the position rows that these queries need, whatever their keys.
    first (int64 [batch, keys]): which row each key takes with the stripe's first query; the next query takes the next.
    groups: the windows, as many together as fit a block.
    """

    queries: slice
    rows: Tensor
    first: Tensor
    groups: list[slice]

    def index(self, b: slice) -> Tensor:
        """The row of each pair (int64 [heads, batch, queries, keys], heads not spread out)."""
        steps = torch.arange(self.queries.stop - self.queries.start, device=self.first.device)
        return (self.first[b, None, :] + steps[:, None]).expand(len(self.rows), -1, -1, -1)

    def position_scores(self, position: Tensor, b: slice) -> Tensor:
        """(q + v) · G, unscaled (float [heads, batch, queries, keys])."""
        query = position[:, b, self.queries]
        dense = torch.matmul(query.flatten(1, 2), self.rows.transpose(1, 2))
        return dense.unflatten(1, query.shape[1:3]).gather(3, self.index(b))


def _stripes(position: Tensor, rows: Tensor, where: Keys) -> Iterator[_Stripe]:
    n_heads, n_batch, n_queries, _ = position.shape
    size = min(BLOCK_QUERIES, n_queries)
    n_distances = size + where.reach - 1
    group = max(1, BLOCK_VALUES // (n_heads * size * rows.shape[1] * n_distances))
    groups = [slice(i, min(i + group, n_batch)) for i in range(0, n_batch, group)]
    for start in range(0, n_queries, size):
        queries = slice(start, min(start + size, n_queries))
        near = _near(rows, queries, where.reach)
        first = where.lengths * near.shape[2] + (where.reach - 1 - where.heads)
        yield _Stripe(queries, near.flatten(1, 2), first, groups)


def _near(rows: Tensor, queries: slice, reach: int) -> Tensor:
    """The head distances that occur with these queries: a view, [heads, lengths, distances, d]."""
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
        seed = int(torch.randint(2**62, ())) if dropout else 0
        generator = torch.Generator(device=content.device).manual_seed(seed)
        out = torch.empty_like(content)
        hidden = ~where.mask[None, :, None]
        kept = []
        for stripe in _stripes(position, rows, where):
            for b in stripe.groups:
                query = content[:, b, stripe.queries]
                scores = stripe.position_scores(position, b)
                scores = scores.add_(torch.matmul(query, keys[:, b].transpose(2, 3))).mul_(scale)
                scores.masked_fill_(hidden[:, b], -torch.inf)
                if where.null:
                    scores = F.pad(scores, (0, 1))
                exact = torch.promote_types(scores.dtype, torch.float32)
                attention = scores.softmax(dim=-1, dtype=exact).to(scores.dtype)
                if where.null:
                    attention = attention[..., :-1]
                kept.append(attention)
                used = _drop(attention, dropout, generator)
                out[:, b, stripe.queries] = torch.matmul(used, values[:, b])
        ctx.save_for_backward(content, position, keys, values, rows, *kept)
        ctx.where, ctx.scale, ctx.dropout, ctx.seed = where, scale, dropout, seed
        return out

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        content, position, keys, values, rows, *kept = ctx.saved_tensors
        where, scale, dropout = ctx.where, ctx.scale, ctx.dropout
        d_out = grads[0].to(content.dtype)
        d_content, d_position = torch.empty_like(content), torch.empty_like(position)
        d_keys, d_values, d_rows = torch.zeros_like(keys), torch.zeros_like(values), torch.zeros_like(rows)
        generator = torch.Generator(device=content.device).manual_seed(ctx.seed)
        blocks = iter(kept)
        for stripe in _stripes(position, rows, where):
            q = stripe.queries
            d_near = torch.zeros_like(stripe.rows)
            for b in stripe.groups:
                attention = next(blocks)
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
                d_dense = d_scores.new_zeros((*d_scores.shape[:3], stripe.rows.shape[1]))
                d_dense = d_dense.scatter_add_(3, stripe.index(b), d_scores).flatten(1, 2)
                d_position[:, b, q] = torch.matmul(d_dense, stripe.rows).unflatten(1, d_scores.shape[1:3])
                d_near.baddbmm_(d_dense.transpose(1, 2), position[:, b, q].flatten(1, 2))
            near = _near(d_rows, q, where.reach)
            near += d_near.view_as(near)
        return d_content, d_position, d_keys, d_values, d_rows, None, None, None


def _drop(attention: Tensor, dropout: float, generator: torch.Generator) -> Tensor:
    return attention * _dropout_mask(attention, dropout, generator) if dropout else attention


def _dropout_mask(attention: Tensor, dropout: float, generator: torch.Generator) -> Tensor:
    return torch.empty_like(attention).bernoulli_(1.0 - dropout, generator=generator).div_(1.0 - dropout)
