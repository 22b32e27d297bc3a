"""GlobalPointer and Efficient GlobalPointer in plain torch: token features, and span scores from them.

Su, "GlobalPointer" (2021) and "Efficient GlobalPointer" (2022); see also Su et al., "Global Pointer: Novel Efficient
Span-based Approach for Named Entity Recognition", arXiv:2208.03054.
"""

from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor, nn

# The mean logit of spans before training, a few standard deviations below 0. Starting at 0 would call half of all spans
# entities, and an evaluation before the first step would drown in them.
PRIOR = -2.0


def rotate(x: Tensor, base: float = 10000.0) -> Tensor:
    """Rotary position encoding with interleaved pairs (Su et al., RoFormer, arXiv:2104.09864, eq. 34).

    x (float [..., n, d], d even): row i is rotated by the angles of position i.
    RETURNS (float [..., n, d]): rotate(q)[i] · rotate(k)[j] depends on q[i], k[j] and i - j only.
    """
    n, d = x.shape[-2:]
    # In float64, which not every device has.
    angles = torch.arange(n, dtype=torch.float64)[:, None] * base ** (-torch.arange(0, d, 2, dtype=torch.float64) / d)
    cos, sin = angles.cos().to(x.device, x.dtype), angles.sin().to(x.device, x.dtype)
    even, odd = x[..., 0::2], x[..., 1::2]
    return torch.stack([even * cos - odd * sin, odd * cos + even * sin], dim=-1).flatten(-2)


class SpanScores(Protocol):
    """Scores of spans from the features of their first and last tokens."""

    def n_labels(self, n_features: int) -> int:
        """The number of labels that features of this width stand for."""

    def __call__(self, starts: Tensor, ends: Tensor) -> Tensor:
        """Score every pair of a start and an end.

        starts (float [b, s, features]), ends (float [b, e, features]): the tokens at positions 0, 1, … of each block.
        RETURNS (float [b, labels, s, e]): logits.
        """


class EfficientGlobalPointer(nn.Module):
    """Features for one score that all labels share, plus a bias of start and of end for each label.

    Learns 2 * head_size * (n_in + 2 * n_labels) weights (and biases): new labels cost next to nothing.
    """

    def __init__(self, n_in: int, n_labels: int, head_size: int, dropout: float = 0.0):
        super().__init__()
        self.dropout = nn.Dropout(dropout)
        self.pair = nn.Linear(n_in, 2 * head_size)
        self.bias = nn.Linear(2 * head_size, 2 * n_labels)
        nn.init.constant_(self.bias.bias, PRIOR / 2)

    def forward(self, x: Tensor) -> Tensor:
        """x (float [tokens, n_in]) → features (float [tokens, 2 * head_size + 2 * n_labels])."""
        pair = self.pair(self.dropout(x))
        return torch.cat([pair, self.bias(pair)], dim=-1)


@dataclass(frozen=True)
class EfficientGlobalPointerScores:
    """logit(i, j, label) = rotate(q)_i · rotate(k)_j / sqrt(head_size) + start_i,label + end_j,label."""

    head_size: int
    rotary_base: float = 10000.0

    def n_labels(self, n_features: int) -> int:
        return (n_features - 2 * self.head_size) // 2

    def __call__(self, starts: Tensor, ends: Tensor) -> Tensor:
        d, n = self.head_size, self.n_labels(starts.shape[-1])
        q = rotate(starts[..., :d], self.rotary_base)
        k = rotate(ends[..., d : 2 * d], self.rotary_base)
        pair = q @ k.transpose(-1, -2) * d**-0.5
        start_bias = starts[..., 2 * d : 2 * d + n].transpose(-1, -2)
        end_bias = ends[..., 2 * d + n :].transpose(-1, -2)
        return pair[:, None] + start_bias[..., :, None] + end_bias[..., None, :]


class GlobalPointer(nn.Module):
    """Features for a score and a bias of its own for each label: 2 * head_size * n_labels * n_in weights."""

    def __init__(self, n_in: int, n_labels: int, head_size: int, dropout: float = 0.0):
        super().__init__()
        self.dropout = nn.Dropout(dropout)
        self.pair = nn.Linear(n_in, 2 * head_size * n_labels)
        self.bias = nn.Parameter(torch.full((n_labels,), PRIOR))

    def forward(self, x: Tensor) -> Tensor:
        """x (float [tokens, n_in]) → features (float [tokens, n_labels * (2 * head_size + 1)])."""
        return torch.cat([self.pair(self.dropout(x)), self.bias.expand(*x.shape[:-1], -1)], dim=-1)


@dataclass(frozen=True)
class GlobalPointerScores:
    """logit(i, j, label) = rotate(q_label)_i · rotate(k_label)_j / sqrt(head_size) + bias_label."""

    head_size: int
    rotary_base: float = 10000.0

    def n_labels(self, n_features: int) -> int:
        return n_features // (2 * self.head_size + 1)

    def __call__(self, starts: Tensor, ends: Tensor) -> Tensor:
        d, n = self.head_size, self.n_labels(starts.shape[-1])
        q = starts[..., :-n].unflatten(-1, (n, 2, d))[..., 0, :].transpose(1, 2)
        k = ends[..., :-n].unflatten(-1, (n, 2, d))[..., 1, :].transpose(1, 2)
        pair = rotate(q, self.rotary_base) @ rotate(k, self.rotary_base).transpose(-1, -2) * d**-0.5
        return pair + starts[..., -n:].transpose(-1, -2)[..., None]
