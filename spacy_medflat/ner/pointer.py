"""GlobalPointer and Efficient GlobalPointer in plain torch: how the logit of a span follows from its tokens' vectors.

Su, "GlobalPointer" (2021) and "Efficient GlobalPointer" (2022); see also Su et al., "Global Pointer: Novel Efficient
Span-based Approach for Named Entity Recognition", arXiv:2208.03054.

A module makes named tensors of all tokens of a batch, and these give the logits of spans: of all pairs of tokens in
blocks, or of single spans. Rows are counted over the whole batch; a span lies within one text.
"""

from collections.abc import Iterator
from typing import NamedTuple, Protocol

import torch
from torch import Tensor, nn

from ..runtime import to_device

# The mean logit of spans before training, a few standard deviations below 0. Starting at 0 would call half of all spans
# entities, and an evaluation before the first step would drown in them.
PRIOR = -2.0


class PointerFeatures(Protocol):
    """What a pointer knows of each token of a batch: a NamedTuple of tensors."""

    def __iter__(self) -> Iterator[Tensor]:
        """The tensors."""

    def logits(self, starts: Tensor, ends: Tensor) -> Tensor:
        """The logits of every pair of a start and an end in each block.

        starts (int64 [b, s]), ends (int64 [b, e]): rows of tokens.
        RETURNS (float [b, labels, s, e]): a new tensor; where an end is before its start it means nothing.
        """

    def logits_at(self, first: Tensor, last: Tensor, label: Tensor) -> Tensor:
        """The logits of single spans.

        first, last, label (int64 [spans]): rows of the first and last token, and index of the label.
        RETURNS (float [spans]): logits.
        """


def rotate(query: Tensor, key: Tensor, base: float) -> tuple[Tensor, Tensor]:
    """Rotary position encoding with interleaved pairs (Su et al., RoFormer, arXiv:2104.09864, eq. 34).

    query, key (float [tokens, ..., d], d even): row i is rotated by the angles of position i.
    base (float): longest period, in tokens, over 2π.
    RETURNS (float [tokens, ..., d], float [tokens, ..., d]): the two, rotated, and the query divided by sqrt(d). The
        position enters query[i] · key[j] by i - j only.
    """
    n, d = len(query), query.shape[-1]
    # In float64, which not every device has. exp(i(a + b)) = exp(ia) exp(ib), so few exponentials serve all rows.
    rates = base ** (-torch.arange(0, d, 2, dtype=torch.float64) / d)
    coarse, fine = (torch.exp(1j * rows[:, None] * rates) for rows in (torch.arange(0, n, 64), torch.arange(64)))
    turn = (coarse[:, None] * fine).flatten(0, 1)[:n].view(n, *[1] * (query.ndim - 2), d // 2)
    turn = to_device(turn.to(query.dtype.to_complex()), query.device)
    q, k = (torch.view_as_complex(x.unflatten(-1, (-1, 2))) for x in (query, key))
    return torch.view_as_real(q * (turn * d**-0.5)).flatten(-2), torch.view_as_real(k * turn).flatten(-2)


class EfficientFeatures(NamedTuple):
    """logit(i, j, label) = query_i · key_j + start_bias_i,label + end_bias_j,label

    query, key (float [tokens, head_size]): rotated by their positions; query also divided by sqrt(head_size).
    start_bias, end_bias (float [tokens, labels]): of a span's first and of its last token.
    """

    query: Tensor
    key: Tensor
    start_bias: Tensor
    end_bias: Tensor

    def logits(self, starts: Tensor, ends: Tensor) -> Tensor:
        pair = self.query[starts] @ self.key[ends].mT
        return (pair[:, None] + self.start_bias[starts].mT[..., None]).add_(self.end_bias[ends].mT[..., None, :])

    def logits_at(self, first: Tensor, last: Tensor, label: Tensor) -> Tensor:
        pair = (self.query[first] * self.key[last]).sum(-1)
        return pair + self.start_bias[first, label] + self.end_bias[last, label]


class EfficientGlobalPointer(nn.Module):
    """One score that all labels share, plus a bias of start and of end for each label.

    Learns 2 * head_size * (n_in + 2 * n_labels) weights (and biases): new labels cost next to nothing.
    """

    def __init__(self, n_in: int, n_labels: int, head_size: int, rotary_base: float = 10000.0, dropout: float = 0.0):
        super().__init__()
        self.rotary_base = rotary_base
        self.dropout = nn.Dropout(dropout)
        self.pair = nn.Linear(n_in, 2 * head_size)
        self.bias = nn.Linear(2 * head_size, 2 * n_labels)
        nn.init.constant_(self.bias.bias, PRIOR / 2)

    def forward(self, x: Tensor) -> EfficientFeatures:
        """Make the features of a batch.

        x (float [tokens, n_in]): vectors of the tokens of all texts, concatenated.
        """
        pair = self.pair(self.dropout(x))
        query, key = pair.chunk(2, dim=-1)
        start_bias, end_bias = self.bias(pair).chunk(2, dim=-1)
        return EfficientFeatures(*rotate(query, key, self.rotary_base), start_bias, end_bias)


class GlobalFeatures(NamedTuple):
    """logit(i, j, label) = query_i,label · key_j,label + bias_label

    query, key (float [tokens, labels, head_size]): rotated by their positions; query also divided by sqrt(head_size).
    bias (float [labels]): of every span.
    """

    query: Tensor
    key: Tensor
    bias: Tensor

    def logits(self, starts: Tensor, ends: Tensor) -> Tensor:
        pair = self.query[starts].transpose(1, 2) @ self.key[ends].permute(0, 2, 3, 1)
        return pair.add_(self.bias[:, None, None])

    def logits_at(self, first: Tensor, last: Tensor, label: Tensor) -> Tensor:
        return (self.query[first, label] * self.key[last, label]).sum(-1) + self.bias[label]


class GlobalPointer(nn.Module):
    """A score and a bias of its own for each label: 2 * head_size * n_labels * n_in weights."""

    def __init__(self, n_in: int, n_labels: int, head_size: int, rotary_base: float = 10000.0, dropout: float = 0.0):
        super().__init__()
        self.rotary_base = rotary_base
        self.dropout = nn.Dropout(dropout)
        self.pair = nn.Linear(n_in, 2 * head_size * n_labels)
        self.bias = nn.Parameter(torch.full((n_labels,), PRIOR))

    def forward(self, x: Tensor) -> GlobalFeatures:
        """Make the features of a batch.

        x (float [tokens, n_in]): vectors of the tokens of all texts, concatenated.
        """
        pairs = self.pair(self.dropout(x)).unflatten(-1, (len(self.bias), 2, -1))
        query, key = pairs.unbind(-2)
        return GlobalFeatures(*rotate(query, key, self.rotary_base), self.bias)
