"""L2 norms over groups of rows: what keeps a perturbation of one text independent of the other texts of its batch."""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

# A norm that rounding took over the limit is within it.
ROUNDING = 1e-6


class Rows(NamedTuple):
    """Which rows of a [rows, hidden] tensor belong together.

    group (int64 [rows]): rows of one group share one norm: a text, a window of a long one, or everything.
    real (bool [rows]): false on padding, and where no gradient arrives.
    groups (int): how many groups there are.
    """

    group: Tensor
    real: Tensor
    groups: int


def text_groups(shape: Sequence[int], lengths: Sequence[int], norm: str) -> tuple[Tensor, int]:
    """The group of each vector of an embedding layer's output.

    shape: [texts or windows, length, …, hidden], where each of the first dimension is a group; or [tokens, hidden], all
        tokens of the batch one behind the other.
    lengths: tokens of each Doc of the batch. They divide [tokens, hidden] into texts if they add up; if not (a layer
        that embeds each distinct token once), all is one group.
    norm (str): `text`, or `tensor`: all is one group.
    RETURNS: group (int64 [rows]) and number of groups.
    """
    rows = 1
    for size in shape[:-1]:
        rows *= size
    if norm == "text" and len(shape) > 2 and shape[0]:
        return torch.arange(shape[0]).repeat_interleave(rows // shape[0]), shape[0]
    if norm == "text" and len(shape) == 2 and sum(lengths) == rows:
        return torch.arange(len(lengths)).repeat_interleave(torch.tensor(lengths, dtype=torch.int64)), len(lengths)
    return torch.zeros(rows, dtype=torch.int64), 1


def norms(values: Tensor, rows: Rows) -> Tensor:
    """The L2 norm of each group; its squares neither overflow nor vanish.

    values (float32 [rows, hidden])
    RETURNS (float32 [groups])
    """
    if not values.numel():
        return values.new_zeros(rows.groups)
    largest = values.new_zeros(rows.groups).scatter_reduce_(0, rows.group, values.abs().amax(-1), "amax")
    scale = torch.where(largest > 0, largest, 1.0)
    squares = (values / scale[rows.group, None]).square().sum(-1)
    return largest * values.new_zeros(rows.groups).index_add_(0, rows.group, squares).sqrt()


def unit(values: Tensor, rows: Rows) -> Tensor:
    """Each group at length 1, or zero where it is zero; zero on rows that are not real.

    values (float [rows, hidden])
    RETURNS (float32 [rows, hidden])
    """
    values = values.float().masked_fill(~rows.real[:, None], 0.0)
    if not values.numel():
        return values
    length = norms(values, rows)
    return values / torch.where(length > 0, length, 1.0)[rows.group, None]


def project(values: Tensor, rows: Rows, epsilon: float) -> Tensor:
    """Shorten each group that is longer than epsilon.

    values (float32 [rows, hidden])
    RETURNS (float32 [rows, hidden])
    """
    length = norms(values, rows)
    factor = torch.where(length > epsilon * (1 + ROUNDING), epsilon / torch.where(length > 0, length, 1.0), 1.0)
    return values * factor[rows.group, None]
