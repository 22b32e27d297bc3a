"""The settings of FLAT, under the names that a config gives them."""

from dataclasses import dataclass
from typing import Literal, get_args

from ..windows import check_window

Fusion = Literal["ff", "ff_two", "attention", "gate"]
Attend = Literal["lattice", "words"]


@dataclass(frozen=True)
class FlatSettings:
    """The shape of FLAT and how it reads texts.

    width (int or None): size of the vectors inside, even and a multiple of n_heads; None for that of the tokens.
    n_heads, n_layers (int): attention heads, layers.
    feed_forward (int or None): size of the feed-forward's inner layer; 0 for none, None for 4 * width.
    fusion (str): how the four distances of two elements become one vector R_ij: `ff` (the paper), `ff_two` (heads and
        tails only), `attention`, `gate`; see `positions`.
    attend (str): `lattice`, everything attends to characters and words; `words`, characters attend to words only, and
        to nothing where no word helps (NFLAT, Wu et al. 2022), in one layer.
    shared_positions, learned_positions (bool): one position table for all four distances; tables that learn.
    scaled (bool): divide scores by the root of a head's width.
    gated (bool): add the result to the characters' own vectors, times a gate for each value that starts at 0: training
        starts from the encoder without FLAT. Otherwise the result replaces them, and has size `width`.
    input_dropout, attention_dropout, dropout, word_dropout (float): on the input, on the attention, on the output of
        attention and feed-forward, and of whole words; in [0, 1).
    window, overlap (int): the most tokens read at once, and the fewest that neighbouring windows share.
    max_words (int): the most words of a window; of more, the longest stay.
    max_batch_items (int): the most tokens and words, padding included, that prediction runs at once.
    """

    width: int | None = None
    n_heads: int = 8
    n_layers: int = 1
    feed_forward: int | None = None
    fusion: Fusion = "ff"
    attend: Attend = "lattice"
    shared_positions: bool = True
    learned_positions: bool = False
    scaled: bool = True
    gated: bool = True
    input_dropout: float = 0.0
    attention_dropout: float = 0.0
    dropout: float = 0.0
    word_dropout: float = 0.0
    window: int = 256
    overlap: int = 32
    max_words: int = 256
    max_batch_items: int = 2048

    def __post_init__(self) -> None:
        """RAISES (ValueError): a setting is out of range."""
        check_window(self.window, self.overlap)
        if self.fusion not in get_args(Fusion):
            raise ValueError(f"fusion must be one of {', '.join(get_args(Fusion))}, but it is {self.fusion!r}")
        if self.attend not in get_args(Attend):
            raise ValueError(f"attend must be one of {', '.join(get_args(Attend))}, but it is {self.attend!r}")
        if self.n_heads < 1 or (self.width is not None and (self.width % self.n_heads or self.width % 2)):
            raise ValueError(
                f"width must be even and a multiple of n_heads, but width={self.width} and n_heads={self.n_heads}"
            )
        if self.n_layers < 1 or (self.attend == "words" and self.n_layers > 1):
            raise ValueError(f"n_layers must be at least 1, and 1 with attend='words', but it is {self.n_layers}")
        if self.feed_forward is not None and self.feed_forward < 0:
            raise ValueError(f"feed_forward must be at least 0, but it is {self.feed_forward}")
        for name in ("max_words", "max_batch_items"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, but it is {getattr(self, name)}")
        for name in ("input_dropout", "attention_dropout", "dropout", "word_dropout"):
            if not 0.0 <= getattr(self, name) < 1.0:
                raise ValueError(f"{name} must be at least 0 and less than 1, but it is {getattr(self, name)}")

    def for_input(self, n_in: int) -> "SizedSettings":
        """The settings with all sizes known, for tokens' vectors of `n_in` values.

        RAISES (ValueError): this width does not suit the heads.
        """
        width = n_in if self.width is None else self.width
        inner = 4 * width if self.feed_forward is None else self.feed_forward
        return SizedSettings(**{**vars(self), "width": width, "feed_forward": inner})


@dataclass(frozen=True)
class SizedSettings(FlatSettings):
    """Settings whose sizes are known.

    width, feed_forward (int): see `FlatSettings`.
    """

    width: int = 0
    feed_forward: int = 0
