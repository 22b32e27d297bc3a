"""`nlp.update`, made adversarial: a clean pass, an attack, adversarial passes, and one gradient of all."""

from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from random import Random
from typing import Any, Literal, NamedTuple

import torch
from spacy import ty
from spacy.language import Language
from spacy.training import Example
from spacy.util import logger
from thinc.api import Model, Optimizer
from torch import Tensor

from ..._internals import optimizer_of
from ..randomness import RandomState
from .attacks import Attack
from .gradients import Gradients, Parameters, add, is_finite, scale
from .probes import Capture, Probe, SkipError, make_probe
from .targets import choose_targets

EPOCH_HELP = (
    "nlp.update does not know the epoch. Add to the config [training.before_update] "
    '@callbacks = "spacy_medflat.adversarial_clock.v1", or call nlp.update.tell(step, epoch) before each step'
)


@dataclass
class Schedule:
    """Counts steps, and draws whether a step is attacked.

    start_step, start_epoch (int): steps and epochs, from 0, before which nothing is attacked.
    share (float): share of steps attacked, 0 to 1. All parts of a batch that `accumulate_gradient` divides, or none.
    seed (int): of what is drawn here. Draws depend on the seed and the step only, so a resumed training goes on as it
        would have, and no other generator is touched.
    """

    start_step: int = 0
    start_epoch: int = 0
    share: float = 1.0
    seed: int = 0
    step: int = -1
    part: int = 0
    epoch: int | None = None
    told: bool = False

    def __post_init__(self) -> None:
        if self.start_step < 0 or self.start_epoch < 0:
            raise ValueError(
                f"start_step and start_epoch count from 0, but they are {self.start_step} and {self.start_epoch}"
            )
        if not 0.0 <= self.share <= 1.0:
            raise ValueError(f"share is the share of batches attacked, from 0 to 1, but it is {self.share}")

    def tell(self, step: int, epoch: int) -> None:
        """Set the step and the epoch of the updates that follow."""
        self.step, self.part, self.epoch, self.told = step, -1, epoch, True

    def advance(self, *, new_step: bool) -> None:
        """Count an update. new_step: whether it begins a step; not asked if the step has been told."""
        if (new_step or self.step < 0) and not self.told:
            self.step, self.part = self.step + 1, 0
        else:
            self.part += 1

    def is_due(self) -> bool:
        """Whether the present update is attacked.

        RAISES ValueError: it depends on the epoch, and the epoch has not been told.
        """
        if self.start_epoch and self.epoch is None:
            raise ValueError(f"start_epoch is {self.start_epoch}, but {EPOCH_HELP}")
        if self.step < self.start_step or (self.epoch or 0) < self.start_epoch:
            return False
        return Random(f"{self.seed} {self.step}").random() < self.share

    def seed_of_noise(self) -> int:
        """A seed for what the attack draws in this update."""
        return Random(f"{self.seed} {self.step} {self.part}").getrandbits(63)


# Skipped attacks are worth a warning above this share of the batches, once there are enough of them to tell.
SKIPPED_SHARE = 0.1
SKIPPED_AMONG = 20


@dataclass
class Stats:
    """Counts of updates: those attacked, and those where the attack was given up, by reason."""

    attacked: int = 0
    reasons: dict[str, int] = field(default_factory=dict)
    warned: bool = False

    @property
    def skipped(self) -> int:
        """Updates where the attack was given up and the clean gradient stayed."""
        return sum(self.reasons.values())

    def skip(self, reason: str) -> None:
        """Count an attack given up; log the first of its kind, and warn once if there are many."""
        if reason not in self.reasons:
            logger.info("adversarial training: an attack is skipped, the clean gradient stays: %s", reason)
        self.reasons[reason] = self.reasons.get(reason, 0) + 1
        seen = self.attacked + self.skipped
        if not self.warned and seen >= SKIPPED_AMONG and self.skipped > SKIPPED_SHARE * seen:
            self.warned = True
            counts = ", ".join(f"{reason}: {count}" for reason, count in self.reasons.items())
            logger.warning("adversarial training: %d of %d attacks were skipped (%s)", self.skipped, seen, counts)


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


SUFFIX = "_adversarial"


class Settings(NamedTuple):
    """What is attacked and how; see `adversarial_training.v1`."""

    attack: Attack
    target: Literal["output", "weights"]
    components: Sequence[str] | None
    names: Sequence[str] | None
    norm: Literal["text", "tensor"]
    weight: float


class AdversarialUpdate:
    """Stands in for `nlp.update`. `unwrap` takes it away again; copies and pickles of the pipeline do not have it.

    Each pass is a whole update of all components, without the optimizer: transformers, listeners and annotating
    components run again. All passes see the same dropout and the same other random numbers, and what comes after
    draws as if there had been the clean pass alone (on a GPU this does not hold for CuPy's numbers). Annotating
    components annotate with the weights from before the step.

    It knows parameters of torch and thinc only.
    """

    def __init__(self, nlp: Language, settings: Settings, schedule: Schedule):
        self.nlp, self.settings, self.schedule, self.stats = nlp, settings, schedule, Stats()
        self.original = nlp.update

    def __reduce__(self) -> Any:
        # A copy of the pipeline gets its class's own method.
        return getattr, (self.nlp, "update")

    def tell(self, step: int, epoch: int) -> None:
        """Say which step and epoch come, counted from 0. Without it steps are counted here."""
        self.schedule.tell(step, epoch)

    def __call__(
        self,
        examples: Iterable[Example],
        _: Any = None,
        *,
        drop: float = 0.0,
        sgd: Any = None,
        losses: dict[str, float] | None = None,
        component_cfg: dict[str, dict[str, Any]] | None = None,
        exclude: Iterable[str] = (),
        annotates: Iterable[str] = (),
    ) -> dict[str, float]:
        """Update the pipeline; arguments and result are those of `Language.update`.

        losses: also gets `NAME_adversarial` for each component with a loss: that of the last adversarial pass, or the
            mean of all if the attack averages.
        RAISES ValueError: a component that is to be attacked is excluded, or has no such embedding.
        """
        exclude, annotates = list(exclude), list(annotates)
        settings: dict[str, Any] = {"component_cfg": component_cfg, "exclude": exclude, "annotates": annotates}
        settings["drop"] = drop
        if _ is not None or not _has_tokens(examples) or not self._is_due(sgd):
            return self.original(examples, _, sgd=sgd, losses=losses, **settings)
        losses = {} if losses is None else losses
        settings["sgd"] = False
        for name, value in self._passes(list(examples), self._probes(exclude), settings).items():
            losses[name] = losses.get(name, 0.0) + value
        if sgd is not False:
            self._finish(sgd, exclude)
        return losses

    def _is_due(self, sgd: Any) -> bool:
        # Before the first part of a step no gradient waits for the optimizer.
        begins = not self.schedule.told and (sgd is not False or not self._parameters().waiting())
        self.schedule.advance(new_step=begins)
        return self.schedule.is_due()

    def _parameters(self) -> Parameters:
        models = (getattr(pipe, "model", None) for _, pipe in self.nlp.pipeline)
        return Parameters(model for model in models if isinstance(model, Model))

    def _probes(self, exclude: Sequence[str]) -> list[Probe]:
        targets = choose_targets(
            [item for item in self.nlp.pipeline if item[0] not in exclude],
            self.settings.components,
            self.settings.names,
            trained_weights=self.settings.target == "weights",
        )
        return [make_probe(target.layer, self.settings.target) for target in targets]

    def _passes(self, examples: list[Example], probes: list[Probe], settings: dict[str, Any]) -> dict[str, float]:
        """Run all passes, and leave the gradient of all, beside what was there, in the parameters.

        RETURNS: losses.
        """
        parameters = self._parameters()
        passes = Passes(partial(self.original, **settings), examples, probes, parameters, self.settings.norm)
        overflow, earlier = parameters.overflow, parameters.take_waiting()
        try:
            before = RandomState.now()
            losses = passes.run(None)
            after, clean_overflow, captures = RandomState.now(), parameters.overflow, passes.captures()
            clean = parameters.take()
            attacked = None
            try:
                if any(clean_overflow):
                    raise SkipError("the clean gradient overflows in mixed precision")
                attacked = passes.attack(self.settings.attack, captures, before, self.schedule.seed_of_noise())
                self.stats.attacked += 1
            except SkipError as error:
                self.stats.skip(str(error))
            after.restore()
        except BaseException:
            parameters.put(earlier)
            parameters.overflow = overflow
            raise
        parameters.overflow = clean_overflow
        add(clean, earlier)
        if attacked is not None:
            gradient, adversarial = attacked
            add(clean, gradient, self.settings.weight)
            losses = {**losses, **{f"{name}{SUFFIX}": value for name, value in adversarial.items()}}
        parameters.put(clean)
        return losses

    def _finish(self, sgd: Optimizer | None, exclude: Sequence[str]) -> None:
        """Let the optimizer take its step, as `Language.update` does."""
        if sgd is None:
            sgd = optimizer_of(self.nlp)
        for name, pipe in self.nlp.pipeline:
            if (
                name not in exclude
                and isinstance(pipe, ty.TrainableComponent)
                and pipe.is_trainable
                and pipe.model not in (True, False, None)
            ):
                pipe.finish_update(sgd)


def _has_tokens(examples: Iterable[Example]) -> bool:
    return (
        isinstance(examples, list | tuple)
        and all(isinstance(eg, Example) for eg in examples)
        and any(len(eg.x) for eg in examples)
    )
