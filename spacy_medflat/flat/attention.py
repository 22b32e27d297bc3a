"""Multi-head attention with relative positions over characters and words."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .batch import Layout
from .kernel import Keys, block_values, relative_attention
from .position_scores import samples
from .positions import RelativeRows
from .sampled import SampledProduct
from .settings import SizedSettings


class LatticeAttention(nn.Module):
    """FLAT's attention: score_ij = (q_i + u) · k_j + (q_i + v) · W_R R_ij, per head; see `SizedSettings`."""

    def __init__(self, settings: SizedSettings):
        super().__init__()
        s = settings
        self.n_heads, self.attend, self.dropout = s.n_heads, s.attend, s.attention_dropout
        self.scale = (s.width // s.n_heads) ** -0.5 if s.scaled else 1.0
        self.query, self.key, self.value, self.output = (nn.Linear(s.width, s.width) for _ in range(4))
        self.u, self.v = (nn.Parameter(torch.zeros(s.n_heads, 1, 1, s.width // s.n_heads)) for _ in range(2))
        self.rows = RelativeRows(s)

    def forward(
        self, chars: Tensor, words: Tensor, layout: Layout, want_words: bool, word_input: nn.Module | None = None
    ) -> tuple[Tensor, Tensor | None]:
        """Attend from characters, and on request from words.

        chars (float [batch, chars, width]), words (float [batch, words, width])
        word_input (Module or None): what makes vectors of words first; it is not called if `want_words`.
        RETURNS (float [batch, chars, width], float [batch, words, width] or None)
        """
        rows, key_lengths = self.rows(1, layout.key_lengths, layout.reach)
        where = self._keys(layout, key_lengths)
        keys, values = (
            self._split(_elements(chars if where.has_chars else None, words, linear, word_input))
            for linear in (self.key, self.value)
        )
        query = self._split(self.query(chars))
        dropout = self.dropout if self.training else 0.0
        u, v, rows = (x.to(query.dtype) for x in (self.u, self.v, rows))
        found = relative_attention(query, u, v, keys, values, rows, where, self.scale, dropout)
        out = self.output(self._merge(found))
        if not want_words:
            return out, None
        found = self._from_words(self._split(self.query(words)), keys, values, layout, dropout)
        return out, self.output(self._merge(found))

    def _keys(self, layout: Layout, key_lengths: Sequence[int]) -> Keys:
        has_chars = self.attend == "lattice"
        return Keys(
            layout.word_length_index(key_lengths),
            layout.word_heads,
            torch.cat((layout.char_mask, layout.word_mask), dim=1) if has_chars else layout.word_mask,
            has_chars,
            layout.reach,
            layout.n_key_lengths(key_lengths),
        )

    def _from_words(self, query: Tensor, keys: Tensor, values: Tensor, layout: Layout, dropout: float) -> Tensor:
        """Attend from words; those of one length share their position rows.

        RETURNS (float [heads, batch, words, width / heads])
        """
        content, position = query + self.u.to(query.dtype), query + self.v.to(query.dtype)
        where = self._keys(layout, layout.key_lengths)
        lengths, heads = where.places()
        # The scores of each word, and a last row for places without one.
        found: list[Tensor] = []
        row = torch.full(layout.word_mask.shape, -1, device=query.device)
        for length in layout.key_lengths:
            batch, word = torch.nonzero((layout.word_lengths == length) & layout.word_mask, as_tuple=True)
            if len(batch):
                row[batch, word] = torch.arange(len(batch), device=row.device) + sum(x.shape[1] for x in found)
                rows, _ = self.rows(length, layout.key_lengths, layout.reach)
                distance = heads[batch] - layout.word_heads[batch, word][:, None] + rows.shape[2] // 2
                index = lengths[batch] * rows.shape[2] + distance
                found += self._word_scores(position[:, batch, word], rows.flatten(1, 2).to(query.dtype), index)
        found.append(content.new_zeros((self.n_heads, 1, heads.shape[1])))
        bias = torch.cat(found, dim=1)[:, row]
        bias = (bias * self.scale).masked_fill(~where.mask[None, :, None], -torch.inf)
        return F.scaled_dot_product_attention(
            content, keys, values, attn_mask=bias, dropout_p=dropout, scale=self.scale
        )

    def _word_scores(self, position: Tensor, rows: Tensor, index: Tensor) -> list[Tensor]:
        """Position scores of words of one length, a few words at a time: float [heads, words, keys] each.

        position (float [heads, words, d]), rows (float [heads, rows, d]), index (int64 [words, keys])
        """
        size = max(1, block_values(rows) // rows[..., 0].numel())
        parts = zip(position.split(size, dim=1), index.split(size), strict=True)
        if samples(index.device):
            return [SampledProduct.apply(query, rows, chosen) for query, chosen in parts]
        dense = ((torch.matmul(query, rows.transpose(1, 2)), chosen) for query, chosen in parts)
        return [product.gather(2, chosen.expand(self.n_heads, -1, -1)) for product, chosen in dense]

    def _split(self, x: Tensor) -> Tensor:
        """[batch, n, width] to [heads, batch, n, width / heads]"""
        return x.unflatten(-1, (self.n_heads, -1)).permute(2, 0, 1, 3)

    def _merge(self, x: Tensor) -> Tensor:
        return x.permute(1, 2, 0, 3).flatten(2)


def _elements(chars: Tensor | None, words: Tensor, linear: nn.Module, word_input: nn.Module | None) -> Tensor:
    """The keys, or the values, of characters and words."""
    found = linear(words) if word_input is None else _through_both(words, word_input, linear)
    if chars is None:
        return found
    return torch.cat((linear(chars), found), dim=1) if words.shape[1] else linear(chars)


def _through_both(x: Tensor, first: nn.Module, second: nn.Module) -> Tensor:
    """second(first(x)): for many vectors their product, one map of few inputs, is made first."""
    many = x[..., 0].numel() > x.shape[-1]
    if not many or type(first) is not nn.Linear or type(second) is not nn.Linear:
        return second(first(x))
    return F.linear(x, second.weight @ first.weight, second(first.bias))
