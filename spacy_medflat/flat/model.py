"""FLAT as a torch module: layers, the encoder they make, and the encoder over whole texts."""

from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .attention import LatticeAttention
from .batch import Layout, Part
from .settings import FlatSettings, SizedSettings


class FlatLayer(nn.Module):
    """x = norm(x + attention(x)); x = norm(x + feed_forward(x)), for characters and, unless it is the last, words."""

    def __init__(self, settings: SizedSettings, last: bool):
        super().__init__()
        s = settings
        self.last, self.dropout = last, s.dropout
        self.attention = LatticeAttention(s)
        self.attention_norm = nn.LayerNorm(s.width)
        self.has_feed_forward = s.feed_forward > 0
        if self.has_feed_forward:
            self.inner, self.outer = nn.Linear(s.width, s.feed_forward), nn.Linear(s.feed_forward, s.width)
            self.feed_forward_norm = nn.LayerNorm(s.width)

    def forward(
        self, chars: Tensor, words: Tensor, layout: Layout, word_input: nn.Module | None = None
    ) -> tuple[Tensor, Tensor]:
        """chars (float [batch, chars, width]), words (float [batch, words, width]); the last layer leaves the words.

        word_input (Module or None): what makes vectors of words first, in a last layer.
        """
        from_chars, from_words = self.attention(chars, words, layout, not self.last, word_input)
        chars = self._add(chars, from_chars)
        return chars, words if from_words is None else self._add(words, from_words)

    def _add(self, x: Tensor, attended: Tensor) -> Tensor:
        x = self.attention_norm(x + self._drop(attended))
        if not self.has_feed_forward:
            return x
        return self.feed_forward_norm(x + self._drop(self.outer(F.relu(self.inner(x), inplace=True))))

    def _drop(self, x: Tensor) -> Tensor:
        return F.dropout(x, self.dropout, self.training)


class FlatEncoder(nn.Module):
    """Characters and words are brought to one width, pass through the layers, and the characters come out.

    n_in (int): size of a character's vector.
    n_word (int): size of a word's vector; 0 for characters alone.
    """

    def __init__(self, n_in: int, n_word: int, settings: FlatSettings):
        super().__init__()
        self.settings = s = settings.for_input(n_in)
        self.n_out = n_in if s.gated else s.width
        self.char_input = nn.Linear(n_in, s.width) if n_in != s.width else nn.Identity()
        self.word_input = nn.Linear(n_word, s.width) if n_word else None
        self.layers = nn.ModuleList(FlatLayer(s, last=i == s.n_layers - 1) for i in range(s.n_layers))
        if s.gated:
            self.output = nn.Linear(s.width, n_in) if s.width != n_in else nn.Identity()
            self.gate = nn.Parameter(torch.zeros(n_in))

    def forward(self, chars: Tensor, words: Tensor, layout: Layout) -> Tensor:
        """Mix the words into the characters.

        chars (float [batch, chars, n_in]), words (float [batch, words, n_word])
        RETURNS (float [batch, chars, n_out]): undefined beyond the end of a window.
        """
        s = self.settings
        x = F.dropout(self.char_input(chars), s.input_dropout, self.training)
        # An only layer needs no vectors of words, but keys and values, which can be had for less.
        word_input = None if len(self.layers) > 1 or (self.training and s.input_dropout) else self.word_input
        if self.word_input is None:
            w = x.new_zeros((len(x), 0, s.width))
        elif word_input is None:
            w = F.dropout(self.word_input(words.to(x.dtype)), s.input_dropout, self.training)
        else:
            w = words.to(x.dtype)
        if s.word_dropout and self.training:
            kept = torch.rand(layout.word_mask.shape, device=x.device) >= s.word_dropout
            layout = replace(layout, word_mask=layout.word_mask & kept)
        for layer in self.layers:
            x, w = layer(x, w, layout, word_input)
        return chars + self.gate * self.output(x) if s.gated else x


class FlatTexts(nn.Module):
    """Runs a `FlatEncoder` over parts and puts the characters back in order; arguments as there."""

    def __init__(self, n_in: int, n_word: int, settings: FlatSettings):
        super().__init__()
        self.flat = FlatEncoder(n_in, n_word, settings)

    def forward(self, chars: Tensor, features: Tensor, parts: Sequence[Part]) -> Tensor:
        """Mix words into the characters of a batch of texts.

        chars (float [tokens, n_in]): of all texts, concatenated.
        features (float [different words, n_word])
        parts (sequence of Part): they own every character once.
        RETURNS (float [tokens, n_out])
        """
        results, targets = [], []
        for part in parts:
            result = self.flat(chars[part.char_rows], features[part.word_rows], part.layout)
            results.append(result.flatten(0, 1)[part.owned])
            targets.append(part.targets)
        # Under autocast a result may be of half precision.
        joined = torch.cat(results).to(chars.dtype)
        return joined.new_empty(joined.shape).index_copy(0, torch.cat(targets), joined)
