"""Where the characters and words of a batch of windows stand, as tensors."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Layout:
    """A batch of windows, filled up to the longest.

    char_mask (bool [batch, chars]): False behind the end of a window.
    word_heads (int64 [batch, words]): the first character of each word, counted in its window; 0 where there is none.
    word_lengths (int64 [batch, words]): characters of each word; 1 where there is none.
    word_mask (bool [batch, words]): False where there is no word.
    lengths: the word lengths that occur in each window. Known on the CPU, so that characters as queries
        never wait for a GPU.
    """

    char_mask: Tensor
    word_heads: Tensor
    word_lengths: Tensor
    word_mask: Tensor
    lengths: Sequence[Collection[int]]

    @property
    def reach(self) -> int:
        """Characters of the longest window."""
        return self.char_mask.shape[1]

    @property
    def key_lengths(self) -> tuple[int, ...]:
        """The lengths of characters and words, in order."""
        return tuple(sorted({1}.union(*self.lengths)))

    @property
    def n_key_lengths(self) -> list[int]:
        """How many of `key_lengths`, from the shortest on, hold all characters and words of each window."""
        place = {length: i + 1 for i, length in enumerate(self.key_lengths)}
        return [place[max(lengths, default=1)] for lengths in self.lengths]

    def char_heads(self) -> Tensor:
        """The position of each character in its window (int64 [batch, chars])."""
        return torch.arange(self.reach, device=self.char_mask.device).expand(self.char_mask.shape)

    def word_length_index(self) -> Tensor:
        """Which of `key_lengths` each word has (int64 [batch, words])."""
        lengths = torch.tensor(self.key_lengths, device=self.word_lengths.device)
        return torch.searchsorted(lengths, self.word_lengths)
