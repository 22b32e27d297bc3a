"""Attacks: how a perturbation of embeddings is made of gradients. Plain torch, one tensor [rows, hidden] at a time."""

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import torch
from spacy.util import registry
from torch import Generator, Tensor

from ...runtime import to_device

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

    shape (sequence of int): [texts or windows, length, …, hidden], where each of the first dimension is a group; or
        [tokens, hidden], the tokens of all texts concatenated.
    lengths (sequence of int): tokens of each Doc of the batch. They divide [tokens, hidden] into texts if they add up;
        if not (a layer that embeds each distinct token once), all is one group.
    norm (str): `text`, or `tensor`: all is one group.
    RETURNS (int64 [rows], int): the group of each row, and the number of groups.
    """
    rows = math.prod(shape[:-1])
    if norm == "text" and len(shape) > 2 and shape[0]:
        return torch.arange(shape[0]).repeat_interleave(rows // shape[0]), shape[0]
    if norm == "text" and len(shape) == 2 and sum(lengths) == rows:
        return torch.arange(len(lengths)).repeat_interleave(torch.tensor(lengths, dtype=torch.int64)), len(lengths)
    return torch.zeros(rows, dtype=torch.int64), 1


def norms(values: Tensor, rows: Rows) -> Tensor:
    """The L2 norm of each group; its squares neither overflow nor vanish.

    values (float32 [rows, hidden]): any.
    rows (Rows): of the values.
    RETURNS (float32 [groups]): the norms.
    """
    if not values.numel():
        return values.new_zeros(rows.groups)
    largest = values.new_zeros(rows.groups).scatter_reduce_(0, rows.group, values.abs().amax(-1), "amax")
    scale = torch.where(largest > 0, largest, 1.0)
    squares = (values / scale[rows.group, None]).square().sum(-1)
    return largest * values.new_zeros(rows.groups).index_add_(0, rows.group, squares).sqrt()


def unit(values: Tensor, rows: Rows) -> Tensor:
    """Each group at length 1, or zero where it is zero; zero on rows that are not real.

    values (float [rows, hidden]): any.
    rows (Rows): of the values.
    RETURNS (float32 [rows, hidden]): directions.
    """
    values = values.float().masked_fill(~rows.real[:, None], 0.0)
    if not values.numel():
        return values
    length = norms(values, rows)
    return values / torch.where(length > 0, length, 1.0)[rows.group, None]


def project(values: Tensor, rows: Rows, epsilon: float) -> Tensor:
    """Shorten each group that is longer than epsilon.

    values (float32 [rows, hidden]): any.
    rows (Rows): of the values.
    epsilon (float): the largest L2 norm of a group.
    RETURNS (float32 [rows, hidden]): the values inside the ball.
    """
    length = norms(values, rows)
    factor = torch.where(length > epsilon * (1 + ROUNDING), epsilon / torch.where(length > 0, length, 1.0), 1.0)
    return values * factor[rows.group, None]


class Attack(ABC):
    """Makes the perturbation of the first adversarial pass, and of each pass after it.

    steps (int): adversarial passes. The last costs as much as a clean one; those before it only move the perturbation,
        and cost less.
    averaged (bool): the mean of the passes' gradients counts, not the last one's.
    """

    steps: int = 1
    averaged: ClassVar[bool] = False

    @abstractmethod
    def start(self, gradient: Tensor, rows: Rows, generator: Generator) -> Tensor:
        """The first perturbation.

        gradient (float [rows, hidden]): of the clean loss, at any scale.
        rows (Rows): of the gradient.
        generator (Generator): on the CPU, for what is drawn at random.
        RETURNS (float32 [rows, hidden]): zero on rows that are not real.
        """

    def move(self, delta: Tensor, gradient: Tensor, rows: Rows) -> Tensor:
        """The perturbation of the next pass; the same, unless an attack of several steps says otherwise.

        delta (float32 [rows, hidden]): the perturbation of the pass before.
        gradient (float [rows, hidden]): of the loss at `delta`, at any scale.
        rows (Rows): of the clean gradient.
        RETURNS (float32 [rows, hidden]): zero on rows that are not real.
        """
        return delta


@registry.misc("spacy_medflat.FGM.v1")
@dataclass(frozen=True)
class FGM(Attack):
    """One step of length epsilon along the gradient (Miyato et al., arXiv:1605.07725).

    epsilon (float): L2 norm of the perturbation of a text, in the units of the embeddings.
    RAISES (ValueError): it is out of range.
    """

    epsilon: float

    def __post_init__(self) -> None:
        _check(self, self.epsilon)

    def start(self, gradient: Tensor, rows: Rows, generator: Generator) -> Tensor:
        return self.epsilon * unit(gradient, rows)


@registry.misc("spacy_medflat.PGD.v1")
@dataclass(frozen=True)
class PGD(Attack):
    """Steps of length alpha along the gradient, inside a ball of radius epsilon (Madry et al., arXiv:1706.06083).

    It starts at the clean embeddings, not at a random point: the clean pass already has the first gradient.

    epsilon (float): the largest L2 norm of the perturbation of a text.
    alpha (float): length of a step.
    steps (int): steps, each with a pass of its own.
    RAISES (ValueError): one of them is out of range.
    """

    epsilon: float
    alpha: float
    steps: int = 3

    def __post_init__(self) -> None:
        _check(self, self.epsilon, self.alpha, self.steps)

    def start(self, gradient: Tensor, rows: Rows, generator: Generator) -> Tensor:
        return project(self.alpha * unit(gradient, rows), rows, self.epsilon)

    def move(self, delta: Tensor, gradient: Tensor, rows: Rows) -> Tensor:
        return project(delta + self.alpha * unit(gradient, rows), rows, self.epsilon)


@registry.misc("spacy_medflat.FreeLB.v1")
class FreeLB(PGD):
    """PGD from a random point; the gradients of all its passes count (Zhu et al., arXiv:1909.11764)."""

    averaged: ClassVar[bool] = True

    def start(self, gradient: Tensor, rows: Rows, generator: Generator) -> Tensor:
        # Uniform in a cube inside the ball, its size that of the text, as the authors have it.
        noise = 2 * torch.rand(gradient.shape, generator=generator) - 1
        noise = to_device(noise, gradient.device).masked_fill(~rows.real[:, None], 0.0)
        sizes = torch.zeros(rows.groups, device=gradient.device).index_add_(0, rows.group, rows.real.float())
        reach = self.epsilon / (sizes * gradient.shape[-1]).clamp(min=1.0).sqrt()
        return noise * reach[rows.group, None]


@registry.misc("spacy_medflat.RandomPerturbation.v1")
class RandomPerturbation(FGM):
    """A random direction at length epsilon, not that of the gradient: the control that tells an attack from noise."""

    def start(self, gradient: Tensor, rows: Rows, generator: Generator) -> Tensor:
        noise = torch.randn(gradient.shape, generator=generator)
        return self.epsilon * unit(to_device(noise, gradient.device), rows)


def _check(attack: Attack, epsilon: float, alpha: float = 1.0, steps: int = 1) -> None:
    name = type(attack).__name__
    if not (math.isfinite(epsilon) and epsilon >= 0):
        raise ValueError(f"epsilon of {name} is the radius of the perturbation, 0 or more, but it is {epsilon}")
    if not (math.isfinite(alpha) and alpha > 0):
        raise ValueError(f"alpha of {name} is the length of a step, more than 0, but it is {alpha}")
    if steps < 1:
        raise ValueError(f"steps of {name} must be at least 1, but it is {steps}")
