"""The passes over one batch: a clean one, then those at a perturbation of the embeddings."""

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from typing import NamedTuple

import torch
from spacy.training import Example
from torch import Tensor

from ..randomness import RandomState, load_random_state
from .attacks import Attack
from .gradients import Gradients, Parameters, add, are_finite, scale
from .probes import Capture, Probe, SkipError

Losses = dict[str, float]
# For each probe, one for each call of its layer.
Captures = list[list[Capture]]
Deltas = list[list[Tensor]]


class Passes(NamedTuple):
    """What all passes over a batch share. Each adds its gradients to the parameters'.

    update (callable): the update of the pipeline, without an optimizer; takes examples and losses, and returns losses.
    examples (sequence of Example): the batch.
    probes (sequence of Probe): of the attacked embeddings.
    parameters (Parameters): of all components.
    norm (str): `text` or `tensor`.
    """

    update: Callable[..., Losses]
    examples: Sequence[Example]
    probes: Sequence[Probe]
    parameters: Parameters
    norm: str

    def run(self, deltas: Deltas | None = None, *, capture: bool = True, spare: bool = False) -> Losses:
        """One pass.

        deltas (list of list of float32 [rows, hidden], or None): the perturbation; None for the clean pass.
        capture (bool): keep the gradients at the embeddings for `captures`.
        spare (bool): only those are wanted; the gradients of the parameters may be incomplete.
        RETURNS (dict of str to float): the losses.
        """
        with ExitStack() as stack:
            if spare:
                stack.enter_context(self.parameters.spared([probe.layer for probe in self.probes]))
            for i, probe in enumerate(self.probes):
                # A layer that took no part in the clean pass has nothing to be perturbed.
                stack.enter_context(probe.attached(deltas[i] or None if deltas else None, capture=capture))
            return self.update(self.examples, losses={})

    def captures(self) -> Captures:
        """The gradients at the embeddings in the last pass. To be read before they are taken off the parameters."""
        return [probe.captures([len(eg.x) for eg in self.examples], self.norm) for probe in self.probes]

    def attack(self, attack: Attack, clean: Captures, state: RandomState, seed: int) -> tuple[Gradients, Losses]:
        """The adversarial passes.

        attack (Attack): moves the perturbation.
        clean (list of list of Capture): of the clean pass, after which the parameters have no gradients.
        state (dict of arrays): random numbers before the clean pass.
        seed (int): of the attack's own random numbers.
        RETURNS (Gradients, dict of str to float): gradients and losses of the last pass, or the means of all.
        RAISES (SkipError): something is not finite, or there is nothing to attack.
        """
        _check(clean)
        generator = torch.Generator().manual_seed(seed)
        deltas = [[attack.start(c.gradient, c.rows, generator) for c in calls] for calls in clean]
        share = 1 / attack.steps if attack.averaged else 1.0
        total: Gradients = {}
        losses: Losses = {}
        for moves_left in reversed(range(attack.steps)):
            counts = attack.averaged or not moves_left
            load_random_state(state)
            self.parameters.clear_overflow()
            passed = self.run(deltas, capture=moves_left > 0, spare=not counts)
            if any(self.parameters.overflow):
                raise SkipError("an adversarial gradient overflows in mixed precision")
            if moves_left:
                deltas = self._moved(attack, deltas, clean)
            gradients = self.parameters.take()
            if counts:
                if not are_finite(gradients.values()):
                    raise SkipError("an adversarial gradient is not finite")
                scale(gradients, share)
                add(total, gradients)
                losses = {name: losses.get(name, 0.0) + share * value for name, value in passed.items()}
            del gradients  # not to be held through the next pass: they need as much memory as the weights
        return total, losses

    def _moved(self, attack: Attack, deltas: Deltas, clean: Captures) -> Deltas:
        """The perturbation after a pass at `deltas`."""
        captures = self.captures()
        _check(captures)
        if list(map(len, captures)) != list(map(len, deltas)):
            raise SkipError("the gradient reaches other embeddings than in the clean pass")
        return [
            [attack.move(delta, now.gradient, first.rows) for delta, now, first in zip(*calls, strict=True)]
            for calls in zip(deltas, captures, clean, strict=True)
        ]


def _check(captures: Captures) -> None:
    """RAISES (SkipError): no gradient has arrived, or one is not finite."""
    if not any(captures):
        raise SkipError("no gradient arrives at the embedding (nothing to learn in the batch?)")
    if not are_finite(capture.gradient for calls in captures for capture in calls):
        raise SkipError("the gradient at the embedding is not finite")
