"""What one can choose in FLAT."""

from dataclasses import dataclass
from typing import Literal, get_args

Fusion = Literal["ff", "ff_two", "attention", "gate"]
Attend = Literal["lattice", "words"]


@dataclass(frozen=True)
class FlatSettings:
    """The shape of a `FlatEncoder`.

    width (int): size of the vectors inside. n_heads (int): a divisor of width. n_layers (int): at least 1.
    feed_forward (int): size of the feed-forward's inner layer; 0 for none.
    fusion (str): `ff` (the paper), `ff_two`, `attention`, `gate`: see `fusion`.
    attend (str): `lattice`, everything attends to characters and words; `words`, characters attend to words only, and
        to nothing where no word helps (NFLAT, Wu et al. 2022), in one layer.
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
        if self.fusion not in get_args(Fusion):
            raise ValueError(f"fusion must be one of {', '.join(get_args(Fusion))}, but it is {self.fusion!r}")
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
