"""Attention with scores of content and of relative position, without a vector for every pair.

    score_ij = scale ((q_i + u) · k_j + (q_i + v) · G[length_j, head_j - i])

A block of queries at a time, so that memory is linear in their number.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn import functional as F

from .position_scores import CharScores, PositionScores, samples, word_scores

# Values of the scores of a block: on a CPU they should stay in its cache, a GPU wants more to do at once.
BLOCK_VALUES = 2**19
BLOCK_QUERIES = 64


@dataclass(frozen=True)
class Keys:
    """The keys of a batch of windows: first the characters, unless only words are keys, then the words.

    lengths (int64 [batch, words]): for each word, which of the rows' key lengths it has; characters have the first.
    heads (int64 [batch, words]): its first character, counted in the window, below `reach`.
    mask (bool [batch, keys]): False where there is no key.
    has_chars (bool): whether characters are keys.
    reach (int): characters of the longest window.
    n_lengths (sequence of int): for each window, its largest value in `lengths` plus 1. Known on the CPU.
    """

    lengths: Tensor
    heads: Tensor
    mask: Tensor
    has_chars: bool
    reach: int
    n_lengths: Sequence[int]

    @property
    def null(self) -> bool:
        """Whether a query may attend to nothing: one more key with score 0 and value 0."""
        return not self.has_chars

    def places(self) -> tuple[Tensor, Tensor]:
        """The lengths and heads of all keys, characters too (int64 [batch, keys] each)."""
        if not self.has_chars:
            return self.lengths, self.heads
        chars = torch.arange(self.reach, device=self.heads.device).expand(len(self.heads), -1)
        return torch.cat((torch.zeros_like(chars), self.lengths), 1), torch.cat((chars, self.heads), 1)


def relative_attention(
    query: Tensor,
    u: Tensor,
    v: Tensor,
    keys: Tensor,
    values: Tensor,
    rows: Tensor,
    where: Keys,
    scale: float,
    dropout: float = 0.0,
) -> Tensor:
    """Attend from every character to all keys.

    query (float [heads, batch, queries, d]): query i is the window's character i.
    u, v (float [heads, 1, 1, d])
    keys, values (float [heads, batch, keys, d])
    rows (float [heads, lengths, 2 * n - 1, d]): G, head distances from -(n - 1) to n - 1; n is `where.reach` or more.
    where: what the keys are.
    dropout (float): on the attention, in training.
    RETURNS (float [heads, batch, queries, d])
    """
    if torch.is_grad_enabled():
        return _RelativeAttention.apply(query, u, v, keys, values, rows, where, scale, dropout)
    out = torch.empty_like(query)
    hidden = ~where.mask[None, :, None]
    if where.null:
        keys, values = F.pad(keys, (0, 0, 0, 1)), F.pad(values, (0, 0, 0, 1))
    for block in _blocks(query, rows, where):
        b, q = block.windows, block.queries
        bias = block.scores(query[:, b, q] + v, rows).mul_(scale).masked_fill_(hidden[:, b], -torch.inf)
        if where.null:
            bias = F.pad(bias, (0, 1))
        out[:, b, q] = F.scaled_dot_product_attention(
            query[:, b, q] + u, keys[:, b], values[:, b], attn_mask=bias, scale=scale
        )
        # Before there are those of the next block.
        del bias
    return out


@dataclass(frozen=True)
class _Block:
    """Some queries of some windows, and what scores their keys: each kind of key, with how many there are."""

    windows: slice
    queries: slice
    kinds: Sequence[tuple[int, PositionScores]]

    def scores(self, query: Tensor, rows: Tensor) -> Tensor:
        """query · G, unscaled, of the queries of this block (float [heads, windows, queries, d] to [..., keys])."""
        found = [kind.scores(query.flatten(1, 2), rows) for _, kind in self.kinds]
        return (torch.cat(found, dim=2) if len(found) > 1 else found[0]).unflatten(1, query.shape[1:3])

    def gradient(self, d_scores: Tensor, query: Tensor, rows: Tensor, d_rows: Tensor) -> Tensor:
        """The gradient of the queries of this block; that of the rows is added to `d_rows`."""
        parts = d_scores.flatten(1, 2).split([n for n, _ in self.kinds], dim=2)
        found = [
            kind.gradient(part, query.flatten(1, 2), rows, d_rows)
            for part, (_, kind) in zip(parts, self.kinds, strict=True)
        ]
        return sum(found[1:], start=found[0]).view_as(query)


def _blocks(query: Tensor, rows: Tensor, where: Keys) -> Iterator[_Block]:
    n_heads, n_batch, n_queries, _ = query.shape
    size, n_words = min(BLOCK_QUERIES, n_queries), where.heads.shape[1]
    near = size + where.reach - 1
    most = max(where.n_lengths, default=1) * near if n_words and not samples(query.device) else 0
    group = max(1, block_values(rows) // (n_heads * size * max(most, near, where.mask.shape[1])))
    for start in range(0, n_queries, size):
        queries = slice(start, min(start + size, n_queries))
        here = (queries.start, queries.stop - queries.start, where.reach)
        for b in range(0, n_batch, group):
            windows = slice(b, min(b + group, n_batch))
            kinds: list[tuple[int, PositionScores]] = [(where.reach, CharScores(*here))] if where.has_chars else []
            if n_words or not kinds:
                lengths, heads, n_lengths = where.lengths[windows], where.heads[windows], where.n_lengths[windows]
                kinds.append((n_words, word_scores(lengths, heads, n_lengths, *here, rows.shape[2])))
            yield _Block(windows, queries, kinds)


def block_values(rows: Tensor) -> int:
    """The most scores to compute at once, on the device of the rows."""
    return BLOCK_VALUES if rows.device.type == "cpu" else 64 * BLOCK_VALUES


class _RelativeAttention(torch.autograd.Function):
    """`relative_attention` with gradients. It keeps the attention, but no score of a row that no pair takes."""

    @staticmethod
    def forward(
        ctx: Any,
        query: Tensor,
        u: Tensor,
        v: Tensor,
        keys: Tensor,
        values: Tensor,
        rows: Tensor,
        where: Keys,
        scale: float,
        dropout: float,
    ) -> Tensor:
        # The backward pass draws the same dropout again.
        seed = int(torch.randint(1, 2**62, ())) if dropout else 0
        generator = _generator(query, seed)
        out = torch.empty_like(query)
        hidden = ~where.mask[None, :, None]
        kept = []
        for block in _blocks(query, rows, where):
            b, q = block.windows, block.queries
            scores = torch.matmul(query[:, b, q] + u, keys[:, b].transpose(2, 3))
            scores = scores.add_(block.scores(query[:, b, q] + v, rows)).mul_(scale)
            scores.masked_fill_(hidden[:, b], -torch.inf)
            if where.null:
                scores = F.pad(scores, (0, 1))
            exact = torch.promote_types(scores.dtype, torch.float32)
            attention = scores.softmax(dim=-1, dtype=exact).to(scores.dtype)
            if where.null:
                attention = attention[..., :-1]
            kept.append(attention)
            out[:, b, q] = torch.matmul(_drop(attention, dropout, generator), values[:, b])
        ctx.save_for_backward(query, u, v, keys, values, rows, *kept)
        ctx.where, ctx.scale, ctx.dropout, ctx.seed = where, scale, dropout, seed
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        query, u, v, keys, values, rows, *kept = ctx.saved_tensors
        where, scale, dropout = ctx.where, ctx.scale, ctx.dropout
        d_out, d_query = grads[0].to(query.dtype), torch.empty_like(query)
        # These are sums over many blocks, which half precision would not survive.
        exact = torch.promote_types(query.dtype, torch.float32)
        summed = (u, v, keys, values, rows)
        d_u, d_v, d_keys, d_values, d_rows = (torch.zeros_like(x, dtype=exact) for x in summed)
        generator = _generator(query, ctx.seed)
        for attention, block in zip(kept, _blocks(query, rows, where), strict=True):
            b, q = block.windows, block.queries
            d_attention = torch.matmul(d_out[:, b, q], values[:, b].transpose(2, 3))
            used = attention
            if dropout:
                mask = _dropout_mask(attention, dropout, generator)
                used, d_attention = attention * mask, d_attention.mul_(mask)
            d_values[:, b] += torch.matmul(used.transpose(2, 3), d_out[:, b, q])
            d_scores = d_attention.mul_(attention)
            d_scores.sub_(attention * d_scores.sum(dim=-1, keepdim=True)).mul_(scale)
            d_content = torch.matmul(d_scores, keys[:, b])
            d_keys[:, b] += torch.matmul(d_scores.transpose(2, 3), query[:, b, q] + u)
            d_position = block.gradient(d_scores, query[:, b, q] + v, rows, d_rows)
            d_query[:, b, q] = d_content + d_position
            d_u += d_content.sum(dim=(1, 2), keepdim=True, dtype=exact)
            d_v += d_position.sum(dim=(1, 2), keepdim=True, dtype=exact)
        found = (x.to(like.dtype) for x, like in zip((d_u, d_v, d_keys, d_values, d_rows), summed, strict=True))
        return d_query, *found, None, None, None


def _generator(like: Tensor, seed: int) -> torch.Generator | None:
    return torch.Generator(device=like.device).manual_seed(seed) if seed else None


def _drop(attention: Tensor, dropout: float, generator: torch.Generator | None) -> Tensor:
    return attention * _dropout_mask(attention, dropout, generator) if dropout else attention


def _dropout_mask(attention: Tensor, dropout: float, generator: torch.Generator | None) -> Tensor:
    return torch.empty_like(attention).bernoulli_(1.0 - dropout, generator=generator).div_(1.0 - dropout)
