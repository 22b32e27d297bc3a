"""FLAT as a whole: from characters' vectors and words' vectors to characters' vectors."""

from dataclasses import replace

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .layer import FlatLayer
from .layout import Layout
from .settings import FlatSettings


class FlatEncoder(nn.Module):
    """Characters and words are brought to one width, pass through the layers, and the characters come out.

    n_in (int): size of a character's vector. n_word (int): size of a word's vector; 0 for characters alone.
    """

    def __init__(self, n_in: int, n_word: int, settings: FlatSettings):
        super().__init__()
        self.settings = settings
        self.char_input = nn.Linear(n_in, settings.width) if n_in != settings.width else nn.Identity()
        self.word_input = nn.Linear(n_word, settings.width) if n_word else None
        n = settings.n_layers
        self.layers = nn.ModuleList(FlatLayer(settings, last=i == n - 1) for i in range(n))
        if settings.gated:
            self.output = nn.Linear(settings.width, n_in) if settings.width != n_in else nn.Identity()
            self.gate = nn.Parameter(torch.zeros(n_in))

    def forward(self, chars: Tensor, words: Tensor, layout: Layout) -> Tensor:
        """Mix the words into the characters.

        chars (float [batch, chars, n_in]), words (float [batch, words, n_word])
        RETURNS (float [batch, chars, n_in if gated else width]): what stands behind the end of a window is undefined.
        """
        s = self.settings
        x = F.dropout(self.char_input(chars), s.input_dropout, self.training)
        if self.word_input is None:
            w = x.new_zeros((len(x), 0, s.width))
        else:
            w = F.dropout(self.word_input(words.to(x.dtype)), s.input_dropout, self.training)
        if s.word_dropout and self.training:
            kept = torch.rand(layout.word_mask.shape, device=x.device) >= s.word_dropout
            layout = replace(layout, word_mask=layout.word_mask & kept)
        for layer in self.layers:
            x, w = layer(x, w, layout)
        return chars + self.gate * self.output(x) if s.gated else x
