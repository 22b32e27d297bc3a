"""One layer of FLAT: attention and feed-forward, each with add-and-norm behind it."""

from torch import Tensor, nn
from torch.nn import functional as F

from .attention import LatticeAttention
from .layout import Layout
from .settings import FlatSettings


class FlatLayer(nn.Module):
    """x = norm(x + attention(x)); x = norm(x + feed_forward(x)), for characters and, unless it is the last, words."""

    def __init__(self, settings: FlatSettings, last: bool):
        super().__init__()
        s = settings
        self.last, self.dropout = last, s.dropout
        self.attention = LatticeAttention(s)
        self.attention_norm = nn.LayerNorm(s.width)
        self.has_feed_forward = s.feed_forward > 0
        if self.has_feed_forward:
            self.inner, self.outer = nn.Linear(s.width, s.feed_forward), nn.Linear(s.feed_forward, s.width)
            self.feed_forward_norm = nn.LayerNorm(s.width)

    def forward(self, chars: Tensor, words: Tensor, layout: Layout) -> tuple[Tensor, Tensor]:
        """chars (float [batch, chars, width]), words (float [batch, words, width]); the last layer leaves the words."""
        from_chars, from_words = self.attention(chars, words, layout, want_words=not self.last)
        chars = self._add(chars, from_chars)
        return chars, words if from_words is None else self._add(words, from_words)

    def _add(self, x: Tensor, attended: Tensor) -> Tensor:
        x = self.attention_norm(x + self._drop(attended))
        if not self.has_feed_forward:
            return x
        return self.feed_forward_norm(x + self._drop(self.outer(F.relu(self.inner(x), inplace=True))))

    def _drop(self, x: Tensor) -> Tensor:
        return F.dropout(x, self.dropout, self.training)
