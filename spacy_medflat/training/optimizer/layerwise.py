"""`spacy_medflat.LayerwiseAdamW.v1`: AdamW with rates of their own for the encoder's layers and for what is new."""

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

import torch
from spacy.util import logger, registry
from thinc.api import Optimizer, xp2torch
from thinc.types import FloatsXd, Generator
from torch.optim.adamw import adamw

from ..parameters import KeyT
from .averages import ParameterAverages
from .groups import Grouping, describe

# A constant, or a schedule of thinc's.
Rate = float | list[float] | Generator


@registry.optimizers("spacy_medflat.LayerwiseAdamW.v1")
def create_layerwise_adamw(
    encoder_rate: Rate,
    head_rate: Rate,
    beta1: float = 0.9,
    beta2: float = 0.999,
    eps: float = 1e-8,
    weight_decay: float = 0.01,
    grad_clip: float = 0.0,
    layer_decay: float = 1.0,
    inverted_decay: bool = False,
    average_decay: float = 0.0,
) -> "LayerwiseAdamW":
    """Make the optimizer.

    encoder_rate, head_rate (float or schedule): learning rates of a pretrained encoder's parameters, known by their
        names (BERT, RoBERTa, ERNIE, ELECTRA, MPNet, ALBERT, DistilBERT, DeBERTa), and of all others.
    beta1, beta2, eps (float): as in Adam.
    weight_decay (float): decoupled decay (Loshchilov and Hutter, arXiv:1711.05101); none on biases, norms and gates.
    grad_clip (float): the largest L2 norm of the gradient of one parameter; 0 for no limit. The loss of `medflat_ner`
        is a sum over texts, so norms are in the hundreds. A limit far below them gives all batches the same weight, of
        one text or of fifty, and moves scores off their natural threshold. There is no clipping of the norm over all
        parameters: they come one at a time, and each is updated before the next is known.
    layer_decay (float): in (0, 1]; what a layer's rate is to that of the layer above it. The highest layer and the
        pooler have `encoder_rate`, the embeddings come one step below the lowest layer.
    inverted_decay (bool): the top layers get the smallest rate; to reproduce a published result, not to use.
    average_decay (float): in [0, 1); evaluate and save an exponential average of the weights, see `ParameterAverages`.
        0.995 to 0.9999 are usual, 0 is for no average. Training goes on with the weights themselves.
    RETURNS (LayerwiseAdamW): the optimizer.
    RAISES (ValueError): a setting is out of range.
    """
    _require(0 <= beta1 < 1, "beta1", beta1, "at least 0 and less than 1")
    _require(0 <= beta2 < 1, "beta2", beta2, "at least 0 and less than 1")
    _require(0 < eps < math.inf, "eps", eps, "greater than 0")
    _require(0 <= weight_decay < math.inf, "weight_decay", weight_decay, "at least 0")
    _require(0 <= grad_clip < math.inf, "grad_clip", grad_clip, "at least 0, where 0 is for no limit")
    _require(
        0 < layer_decay <= 1,
        "layer_decay",
        layer_decay,
        "greater than 0 and at most 1: lower layers get the smaller rate; inverted_decay = true is for the opposite",
    )
    _require(not inverted_decay or layer_decay < 1, "layer_decay", layer_decay, "less than 1 with inverted_decay")
    _require(0 <= average_decay < 1, "average_decay", average_decay, "at least 0 and less than 1")
    optimizer = LayerwiseAdamW(
        encoder_rate,
        head_rate,
        Grouping(weight_decay, layer_decay, inverted_decay),
        ParameterAverages(average_decay) if average_decay else None,
        beta1=beta1,
        beta2=beta2,
        eps=eps,
        grad_clip=grad_clip,
    )
    _require_rate("encoder_rate", optimizer.encoder_rate)
    _require_rate("head_rate", optimizer.learn_rate)
    return optimizer


class _Held(NamedTuple):
    """An update that waits."""

    key: KeyT
    weights: FloatsXd
    gradient: torch.Tensor
    lr_scale: float


class LayerwiseAdamW(Optimizer):
    """AdamW over thinc's and torch's parameters, in place, on the device where they are.

    With a layer decay, an encoder's parameters come before its depth is known, the lowest first. So its first update
    is held back until another model's parameter comes, or the step ends with `step_schedules`.

    encoder_rate, head_rate (float or schedule): learning rates.
    grouping (Grouping): puts parameters into groups.
    averages (ParameterAverages or None): kept beside the weights.
    settings (float): of thinc's `Optimizer`.
    """

    encoder_rate: float

    def __init__(
        self,
        encoder_rate: Rate,
        head_rate: Rate,
        grouping: Grouping,
        averages: ParameterAverages | None = None,
        **settings: Any,
    ):
        # `learn_rate` is what spaCy prints and logs, `averages` what its loop evaluates and saves.
        super().__init__(head_rate, **settings)
        if isinstance(encoder_rate, int | float):
            self.encoder_rate = encoder_rate
        else:
            schedule: Any = iter(encoder_rate)
            self.encoder_rate, self.schedules["encoder_rate"] = next(schedule), schedule
        self.averages: Any = averages
        self.grouping = grouping
        self.steps = 0  # calls of `step_schedules`
        self.moments: dict[KeyT, tuple[torch.Tensor, torch.Tensor, torch.Tensor]] = {}
        self._arrays: dict[KeyT, FloatsXd] = {}
        self._held: list[_Held] = []
        self._described = 0

    def __call__(
        self, key: KeyT, weights: FloatsXd, gradient: FloatsXd, *, lr_scale: float = 1.0
    ) -> tuple[FloatsXd, FloatsXd]:
        """Update one parameter; arguments and result are those of thinc's `Optimizer`."""
        # thinc makes a new tensor of every array that an optimizer returns, and a new array of that tensor at the next
        # step. Each keeps the one before alive, unless the same array is returned every time.
        first = self._arrays.setdefault(key, weights)
        if first.shape != weights.shape or _address(first) != _address(weights):
            self._arrays[key] = weights
        weights = self._arrays[key]
        grad = xp2torch(gradient)
        if self._held and not self._belongs_to_held(key):
            self._release()
        is_known = key in self.grouping.groups
        if not is_known and self.grouping.needs_depth(key[1]):
            self._held.append(_Held(key, weights, grad.clone(), lr_scale))
        else:
            if not is_known:
                self.grouping.add({key: weights.shape})
            self._update(key, weights, grad, lr_scale)
        grad.zero_()
        return weights, gradient

    def step_schedules(self) -> None:
        """End a step: the next values of the schedules."""
        self._release()
        groups = self.grouping.groups
        if len(groups) != self._described:
            self._described = len(groups)
            sizes = ((group, self.moments[key][0].numel()) for key, group in groups.items())
            logger.info("Parameter groups of the optimizer:\n%s", describe(sizes))
        super().step_schedules()
        self.steps += 1

    def restore(
        self,
        moments: Mapping[KeyT, tuple[torch.Tensor, torch.Tensor, torch.Tensor]],
        weights: Mapping[KeyT, FloatsXd],
        steps: int,
    ) -> None:
        """Go on from an earlier run, with the schedules `steps` steps from their start.

        moments (dict of (float tensor, float tensor, float scalar)): first and second moment and number of steps of
            each parameter.
        weights (dict of float arrays): the parameters' own memory.
        steps (int): calls of `step_schedules`.
        RAISES (ValueError): the schedules are past that step already.
        """
        if steps < self.steps:
            raise ValueError(f"the schedules are at step {self.steps}, past {steps}: restore into a new optimizer")
        while self.steps < steps:
            super().step_schedules()
            self.steps += 1
        self.moments, self._arrays, self._held, self._described = dict(moments), dict(weights), [], 0
        self.grouping.groups.clear()
        self.grouping.add({key: array.shape for key, array in weights.items()})

    def _update(self, key: KeyT, weights: FloatsXd, grad: torch.Tensor, lr_scale: float) -> None:
        group = self.grouping.groups[key]
        param = xp2torch(weights).detach()
        if key not in self.moments:
            self.moments[key] = torch.zeros_like(param), torch.zeros_like(param), torch.zeros((), device=param.device)
        mean, square, step = self.moments[key]
        if self.grad_clip:
            grad.mul_(torch.clamp(self.grad_clip / (grad.norm() + 1e-6), max=1.0))
        rate = self.learn_rate if group.part == "head" else self.encoder_rate
        _require_rate("head_rate" if group.part == "head" else "encoder_rate", rate)
        if self.averages is not None:
            self.averages.start(key, param)
        adamw(
            [param],
            [grad],
            [mean],
            [square],
            [],
            [step],
            fused=True,
            amsgrad=False,
            beta1=self.b1,
            beta2=self.b2,
            lr=lr_scale * group.factor * rate,
            weight_decay=group.weight_decay,
            eps=self.eps,
            maximize=False,
        )
        if self.averages is not None:
            self.averages.add(key)

    def _release(self) -> None:
        """Apply the updates that were held back."""
        held, self._held = self._held, []
        self.grouping.add({update.key: update.weights.shape for update in held})
        for update in held:
            self._update(*update)

    def _belongs_to_held(self, key: KeyT) -> bool:
        """Whether a parameter is another new one of the encoder that is being held back."""
        keys = [update.key for update in self._held]
        return key[0] == keys[0][0] and key not in keys and key not in self.grouping.groups


def _address(array: Any) -> int:
    """Where the values of an array of numpy or cupy begin."""
    interface = getattr(array, "__cuda_array_interface__", None) or array.__array_interface__
    return interface["data"][0]


def _require(condition: bool, name: str, value: float, expected: str) -> None:
    if not condition:
        raise ValueError(f"{name} must be {expected}, but it is {value}")


def _require_rate(name: str, value: float) -> None:
    _require(0 <= value < math.inf, name, value, "at least 0 and finite, in every step of a schedule")
