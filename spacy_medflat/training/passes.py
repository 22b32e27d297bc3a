"""The passes over one batch: a clean one, and adversarial ones at the perturbations of an attack."""

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from typing import Any, NamedTuple

import torch
from spacy.training import Example
from torch import Tensor

from .attacks import Attack
from .gradients import Gradients, Parameters, add, is_finite, scale
from .probes import Capture, Probe, SkipError
from .randomness import RandomState

# For each probe, one for each call of its layer.
Captures = list[list[Capture]]
Deltas = list[list[Tensor]]


class Passes(NamedTuple):
    """What all passes over a batch share.

    update: the update of the pipeline, without an optimizer; it takes examples and losses and returns losses.
    probes: of the attacked embeddings. norm (str): `text` or `tensor`.
    """

    update: Callable[..., dict[str, Any]]
    examples: Sequence[Example]
    probes: Sequence[Probe]
    parameters: Parameters
    norm: str

    def run(self, deltas: Deltas | None, *, capture: bool = True, spare: bool = False) -> dict[str, float]:
        """One pass, clean or at a perturbation; returns its losses. Gradients are added to the parameters'.

        spare: Only the gradients at the embeddings are wanted; those of the parameters may be incomplete.
        """
        with ExitStack() as stack:
            if spare:
                stack.enter_context(self.parameters.spared([probe.layer for probe in self.probes]))
            for i, probe in enumerate(self.probes):
                # A layer that took no part in the clean pass has nothing to be perturbed.
                given = None if deltas is None or not deltas[i] else deltas[i]
                stack.enter_context(probe.attached(given, capture=capture))
            return self.update(self.examples, losses={})

    def captures(self) -> Captures:
        """The gradients at the embeddings in the last pass. Before they are taken off the parameters."""
        return [probe.captures([len(eg.x) for eg in self.examples], self.norm) for probe in self.probes]

    def attack(
        self, attack: Attack, clean: Captures, state: RandomState, seed: int
    ) -> tuple[Gradients, dict[str, Any]]:
        """The adversarial passes.

        clean: gradients at the embeddings in the clean pass, after which the parameters have none.
        state: random numbers before the clean pass. seed: of the attack's own.
        RETURNS: gradients and losses of the last pass, or their means.
        RAISES SkipError: something is not finite, or there is nothing to attack.
        """
        check(clean)
        generator = torch.Generator().manual_seed(seed)
        rows = [[capture.rows for capture in group] for group in clean]
        deltas = [[attack.start(c.gradient, c.rows, generator) for c in group] for group in clean]
        total: Gradients = {}
        losses: dict[str, float] = {}
        for step in range(attack.steps):
            is_last = step == attack.steps - 1
            counts = is_last or attack.averaged
            state.restore()
            self.parameters.clear_overflow()
            passed = self.run(deltas, capture=not is_last, spare=not counts)
            if any(self.parameters.overflow):
                raise SkipError("an adversarial gradient overflows in mixed precision")
            if not is_last:
                captures = self.captures()
                check(captures)
                if [len(group) for group in captures] != [len(group) for group in deltas]:
                    raise SkipError("the gradient reaches other embeddings than in the clean pass")
                deltas = [
                    [attack.move(delta, c.gradient, place) for delta, c, place in zip(*group, strict=True)]
                    for group in zip(deltas, captures, rows, strict=True)
                ]
            if not counts:
                self.parameters.take()  # dropped: gradients need as much memory as the weights
                continue
            gradient = self.parameters.take()
            if not all(is_finite(grad) for grad in gradient.values()):
                raise SkipError("an adversarial gradient is not finite")
            share = 1 / attack.steps if attack.averaged else 1.0
            scale(gradient, share)
            if total:
                add(total, gradient)
            else:
                total = gradient
            del gradient  # not to be held through the next pass
            losses = {name: losses.get(name, 0.0) + share * value for name, value in passed.items()}
        return total, losses


def check(captures: Captures) -> None:
    """RAISES SkipError: no gradient has arrived, or one is not finite."""
    if not any(captures):
        raise SkipError("no gradient arrives at the embedding (nothing to learn in the batch?)")
    if not all(is_finite(capture.gradient) for group in captures for capture in group):
        raise SkipError("the gradient at the embedding is not finite")
