"""FLAT over whole texts: windows in, one vector for every character out."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from .encoder import FlatEncoder
from .windows import Part


class FlatTexts(nn.Module):
    """Runs a `FlatEncoder` over parts and puts the characters back in order."""

    def __init__(self, encoder: FlatEncoder):
        super().__init__()
        self.flat = encoder

    def forward(self, chars: Tensor, features: Tensor, parts: Sequence[Part]) -> Tensor:
        """Mix words into the characters of a batch of texts.

        chars (float [tokens, n_in]): of all texts, one behind the other.
        features (float [different words, n_word])
        parts: cover every character once with what they own.
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
