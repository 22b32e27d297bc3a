"""`spacy_medflat.LayerwiseAdamW.v1`: AdamW with rates of their own for the encoder and for what is new."""

import re
from typing import Any

import torch
from spacy.util import registry
from thinc.api import Optimizer, xp2torch
from thinc.types import FloatsXd, Generator
from torch.optim.adamw import adamw

# A constant, or a schedule of thinc's.
Rate = float | list[float] | Generator

# Names of parameters in BERT, RoBERTa, ELECTRA, ERNIE, ALBERT, DistilBERT and DeBERTa models.
ENCODER_PARAM = re.compile(r"^(embeddings|embeddings_project|encoder|transformer|pooler)\.")
NO_DECAY_PARAM = re.compile(r"(bias|norm\w*\.weight)$", re.IGNORECASE)


@registry.optimizers("spacy_medflat.LayerwiseAdamW.v1")
def create_layerwise_adamw(
    encoder_rate: Rate,
    head_rate: Rate,
    beta1: float = 0.9,
    beta2: float = 0.999,
    eps: float = 1e-8,
    weight_decay: float = 0.01,
    grad_clip: float = 0.0,
) -> "LayerwiseAdamW":
    """Make the optimizer.

    encoder_rate, head_rate (float or schedule): learning rates of a pretrained encoder's parameters, known by their
        names, and of all others.
    weight_decay (float): decoupled decay (Loshchilov and Hutter, arXiv:1711.05101); none on biases and norms.
    grad_clip (float): the largest L2 norm of the gradient of one parameter; 0 for no limit. The loss of `medflat_ner`
        is a sum over texts, so norms are in the hundreds. A limit far below them gives all batches the same weight, of
        one text or of fifty, and moves scores off their natural threshold.
    """
    return LayerwiseAdamW(
        encoder_rate, head_rate, beta1=beta1, beta2=beta2, eps=eps, weight_decay=weight_decay, grad_clip=grad_clip
    )


class LayerwiseAdamW(Optimizer):
    """AdamW over thinc's and torch's parameters, in place, on the device where they are."""

    encoder_rate: float

    def __init__(
        self,
        encoder_rate: Rate,
        head_rate: Rate,
        *,
        beta1: float,
        beta2: float,
        eps: float,
        weight_decay: float,
        grad_clip: float,
    ):
        # `learn_rate` is what spaCy prints and logs.
        super().__init__(
            head_rate, beta1=beta1, beta2=beta2, eps=eps, L2=weight_decay, grad_clip=grad_clip, use_averages=False
        )
        self._set_attr_or_schedule("encoder_rate", encoder_rate)
        self._state: dict[Any, tuple[torch.Tensor, torch.Tensor, torch.Tensor]] = {}
        self._views: dict[Any, FloatsXd] = {}

    def __call__(
        self, key: tuple[int, str], weights: FloatsXd, gradient: FloatsXd, *, lr_scale: float = 1.0
    ) -> tuple[FloatsXd, FloatsXd]:
        """Update one parameter; `key` is its owner's id and its name."""
        name = key[1]
        weights = self._first_view(key, weights)
        param, grad = xp2torch(weights).detach(), xp2torch(gradient)
        if key not in self._state:
            self._state[key] = (torch.zeros_like(param), torch.zeros_like(param), torch.zeros((), device=param.device))
        mean, square, step = self._state[key]
        if self.grad_clip:
            grad.mul_(torch.clamp(self.grad_clip / (grad.norm() + 1e-6), max=1.0))
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
            lr=lr_scale * (self.encoder_rate if ENCODER_PARAM.match(name) else self.learn_rate),
            weight_decay=0.0 if NO_DECAY_PARAM.search(name) else self.L2,
            eps=self.eps,
            maximize=False,
        )
        grad.zero_()
        return weights, gradient

    def _first_view(self, key: tuple[int, str], weights: FloatsXd) -> FloatsXd:
        """The array that came for this parameter first, if `weights` is the same memory.

        thinc makes a new tensor of every array that we return, and a new array of that tensor at the next step. Each
        of them keeps the one before alive, unless the same array is returned every time.
        """
        first = self._views.get(key)
        if first is None or first.shape != weights.shape or _address(first) != _address(weights):
            first = self._views[key] = weights
        return first


def _address(array: Any) -> int:
    """Where the values of an array of numpy or cupy begin."""
    interface = getattr(array, "__cuda_array_interface__", None) or array.__array_interface__
    return interface["data"][0]
