"""One layer of FLAT: attention and feed-forward, each with add-and-norm behind it."""

from dataclasses import dataclass
from typing import get_args

from torch import Tensor, nn
from torch.nn import functional as F

from .attention import Attend, LatticeAttention
from .fusion import FUSIONS, Fusion
from .layout import Layout


@dataclass(frozen=True)
class FlatSettings:
    """What one can choose in FLAT.

    width (int): size of the vectors inside. n_heads (int): a divisor of width. n_layers (int): at least 1.
    feed_forward (int): size of the feed-forward's inner layer; 0 for none.
    fusion (str): `ff` (the paper), `ff_two`, `attention`, `gate`: see `fusion`.
    attend (str): `lattice` or `words`, see `LatticeAttention`; `words` has one layer.
    shared, learned (bool), reach (int): position tables, see `PositionTables`.
    scaled (bool): divide scores by the root of a head's width.
    gated (bool): add the result to the characters' own vectors, times a gate for each value that starts at 0: training
        starts from the encoder without FLAT. Otherwise the result replaces them.
    input_dropout, attention_dropout, dropout, word_dropout (float): on the input, on the attention, on the output of
        attention and feed-forward, and of whole words.
    """

    width: int
    n_heads: int = 8
    n_layers: int = 1
    feed_forward: int = 0
    fusion: Fusion = "ff"
    attend: Attend = "lattice"
    shared: bool = True
    learned: bool = False
    reach: int = 256
    scaled: bool = True
    gated: bool = True
    input_dropout: float = 0.0
    attention_dropout: float = 0.0
    dropout: float = 0.0
    word_dropout: float = 0.0

    def __post_init__(self) -> None:
        """RAISES ValueError: a setting is out of range."""
        if self.fusion not in FUSIONS:
            raise ValueError(f"fusion must be one of {', '.join(FUSIONS)}, but it is {self.fusion!r}")
        if self.attend not in get_args(Attend):
            raise ValueError(f"attend must be one of {', '.join(get_args(Attend))}, but it is {self.attend!r}")
        if self.n_heads < 1 or self.width % self.n_heads or self.width % 2:
            raise ValueError(
                f"width must be even and a multiple of n_heads, but width={self.width} and n_heads={self.n_heads}"
            )
        if self.n_layers < 1 or (self.attend == "words" and self.n_layers > 1):
            raise ValueError(f"n_layers must be at least 1, and 1 with attend='words', but it is {self.n_layers}")
        if self.feed_forward < 0:
            raise ValueError(f"feed_forward must be at least 0, but it is {self.feed_forward}")
        for name in ("input_dropout", "attention_dropout", "dropout", "word_dropout"):
            if not 0.0 <= getattr(self, name) < 1.0:
                raise ValueError(f"{name} must be at least 0 and less than 1, but it is {getattr(self, name)}")


class FlatLayer(nn.Module):
    """x = norm(x + attention(x)); x = norm(x + feed_forward(x)), for characters and, unless it is the last, words."""

    def __init__(self, settings: FlatSettings, last: bool):
        super().__init__()
        s = settings
        self.last, self.dropout = last, s.dropout
        self.attention = LatticeAttention(
            s.width, s.n_heads, s.fusion, s.attend, s.scaled, s.reach, s.shared, s.learned, s.attention_dropout
        )
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
