"""Multi-head attention with relative positions over characters and words."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .batch import Layout
from .kernel import Keys, block_values, relative_attention
from .positions import RelativeRows
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

    def forward(self, chars: Tensor, words: Tensor, layout: Layout, want_words: bool) -> tuple[Tensor, Tensor | None]:
        """Attend from characters, and on request from words.

        chars (float [batch, chars, width]), words (float [batch, words, width])
        RETURNS (float [batch, chars, width], float [batch, words, width] or None)
        """
        word_length = layout.word_length_index()
        if self.attend == "words":
            elements, lengths, heads, mask = words, word_length, layout.word_heads, layout.word_mask
        else:
            elements = torch.cat((chars, words), dim=1)
            char_heads = layout.char_heads()
            lengths = torch.cat((torch.zeros_like(char_heads), word_length), dim=1)
            heads = torch.cat((char_heads, layout.word_heads), dim=1)
            mask = torch.cat((layout.char_mask, layout.word_mask), dim=1)
        where = Keys(lengths, heads, mask, layout.reach, layout.n_key_lengths, null=self.attend == "words")
        keys, values = self._split(self.key(elements)), self._split(self.value(elements))
        query = self._split(self.query(chars))
        rows = self.rows(1, layout.key_lengths, layout.reach).to(query.dtype)
        dropout = self.dropout if self.training else 0.0
        content, position = self._queries(query)
        found = relative_attention(content, position, keys, values, rows, where, self.scale, dropout)
        out = self.output(self._merge(found))
        if not want_words:
            return out, None
        found = self._from_words(self._split(self.query(words)), keys, values, layout, where, dropout)
        return out, self.output(self._merge(found))

    def _from_words(
        self, query: Tensor, keys: Tensor, values: Tensor, layout: Layout, where: Keys, dropout: float
    ) -> Tensor:
        """Attend from words; those of one length share their position rows.

        RETURNS (float [heads, batch, words, width / heads])
        """
        content, position = self._queries(query)
        # The scores of each word, and a last row for places without one.
        found: list[Tensor] = []
        row = torch.full(layout.word_mask.shape, -1, device=query.device)
        for length in layout.key_lengths:
            batch, word = torch.nonzero((layout.word_lengths == length) & layout.word_mask, as_tuple=True)
            if len(batch):
                row[batch, word] = torch.arange(len(batch), device=row.device) + sum(x.shape[1] for x in found)
                rows = self.rows(length, layout.key_lengths, layout.reach).to(query.dtype)
                found += self._word_scores(position, rows, batch, word, layout, where)
        found.append(content.new_zeros((self.n_heads, 1, where.heads.shape[1])))
        bias = torch.cat(found, dim=1)[:, row]
        bias = (bias * self.scale).masked_fill(~where.mask[None, :, None], -torch.inf)
        return F.scaled_dot_product_attention(
            content, keys, values, attn_mask=bias, dropout_p=dropout, scale=self.scale
        )

    def _word_scores(
        self, position: Tensor, rows: Tensor, batch: Tensor, word: Tensor, layout: Layout, where: Keys
    ) -> list[Tensor]:
        """Position scores of words of one length, a few words at a time: float [heads, words, keys] each."""
        size = max(1, block_values(rows) // rows[..., 0].numel())
        flat, parts = rows.flatten(1, 2).transpose(1, 2), []
        for b, w in zip(batch.split(size), word.split(size), strict=True):
            distance = layout.word_heads[b, w][:, None] - where.heads[b] + layout.reach - 1
            index = where.lengths[b] * rows.shape[2] + distance
            dense = torch.matmul(position[:, b, w], flat)
            parts.append(dense.gather(2, index.expand(self.n_heads, -1, -1)))
        return parts

    def _queries(self, query: Tensor) -> tuple[Tensor, Tensor]:
        """q + u and q + v."""
        return query + self.u.to(query.dtype), query + self.v.to(query.dtype)

    def _split(self, x: Tensor) -> Tensor:
        """[batch, n, width] to [heads, batch, n, width / heads]"""
        return x.unflatten(-1, (self.n_heads, -1)).permute(2, 0, 1, 3)

    def _merge(self, x: Tensor) -> Tensor:
        return x.permute(1, 2, 0, 3).flatten(2)
