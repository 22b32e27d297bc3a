"""`nlp.update`, made adversarial: a clean pass, an attack, adversarial passes, and one gradient of all."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Literal, NamedTuple

from spacy import ty
from spacy.language import Language
from spacy.training import Example
from spacy.util import logger
from thinc.api import Optimizer

from ..._internals import optimizer_of
from ..randomness import RandomState, dump_random_state, load_random_state
from .attacks import Attack
from .gradients import Gradients, Parameters, add
from .passes import Captures, Losses, Passes
from .probes import Probe, SkipError, make_probe
from .schedule import Schedule
from .targets import choose_targets

# What the name of a component gets in the losses for those of the attack.
SUFFIX = "_adversarial"
# Skipped attacks are worth a warning above this share of the batches, once there are enough of them to tell.
SKIPPED_SHARE = 0.1
SKIPPED_AMONG = 20


class AdversarialSettings(NamedTuple):
    """What is attacked and how.

    attack, target, components, names, norm, weight: see `create_adversarial_training`.
    """

    attack: Attack
    target: Literal["output", "weights"]
    components: Sequence[str] | None
    names: Sequence[str] | None
    norm: Literal["text", "tensor"]
    weight: float


@dataclass
class Stats:
    """Counts of updates.

    attacked (int): those that were attacked.
    reasons (Counter): those where the attack was given up and the clean gradient stayed, by reason.
    warned (bool): whether there was a warning that they are many.
    """

    attacked: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    warned: bool = False

    @property
    def skipped(self) -> int:
        """Updates where the attack was given up."""
        return sum(self.reasons.values())

    def skip(self, reason: str) -> None:
        """Count an attack given up; log the first of its kind, and warn once if there are many."""
        if reason not in self.reasons:
            logger.info("adversarial training: an attack is skipped, the clean gradient stays: %s", reason)
        self.reasons[reason] += 1
        seen = self.attacked + self.skipped
        if not self.warned and seen >= SKIPPED_AMONG and self.skipped > SKIPPED_SHARE * seen:
            self.warned = True
            counts = ", ".join(f"{reason}: {count}" for reason, count in self.reasons.items())
            logger.warning("adversarial training: %d of %d attacks were skipped (%s)", self.skipped, seen, counts)


class AdversarialUpdate:
    """Replaces `nlp.update`. `unwrap` restores it; copies and pickles of the pipeline do not have it.

    Each pass is a whole update of all components, without the optimizer: transformers, listeners and annotating
    components run again. All passes see the same dropout and the same other random numbers, and what comes after
    draws as if there had been the clean pass alone (on a GPU this does not hold for CuPy's numbers). Annotating
    components annotate with the weights from before the step.

    It knows parameters of torch and thinc only.

    nlp (Language): the pipeline, with the update that is to be made adversarial.
    settings (AdversarialSettings): what is attacked and how.
    schedule (Schedule): when.
    """

    def __init__(self, nlp: Language, settings: AdversarialSettings, schedule: Schedule):
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
        losses: Losses | None = None,
        component_cfg: dict[str, dict[str, Any]] | None = None,
        exclude: Iterable[str] = (),
        annotates: Iterable[str] = (),
    ) -> Losses:
        """Update the pipeline; arguments and result are those of `Language.update`.

        losses (dict or None): also gets `NAME_adversarial` for each component with a loss: that of the last adversarial
            pass, or the mean of all if the attack averages.
        RAISES (ValueError): a component that is to be attacked is excluded, or has no such embedding.
        """
        exclude = list(exclude)
        update = partial(
            self.original, drop=drop, component_cfg=component_cfg, exclude=exclude, annotates=list(annotates)
        )
        if _ is not None or not _has_tokens(examples) or not self._is_due(sgd):
            return update(examples, _, sgd=sgd, losses=losses)
        losses = {} if losses is None else losses
        parameters = Parameters(self.nlp.pipeline)
        passes = Passes(
            partial(update, sgd=False), list(examples), self._probes(exclude), parameters, self.settings.norm
        )
        for name, value in self._run(passes).items():
            losses[name] = losses.get(name, 0.0) + value
        if sgd is not False:
            self._finish(sgd, exclude)
        return losses

    def _is_due(self, sgd: Any) -> bool:
        # Before the first part of a step no gradient waits for the optimizer.
        begins = not self.schedule.told and (sgd is not False or not Parameters(self.nlp.pipeline).any_waiting())
        self.schedule.advance(new_step=begins)
        return self.schedule.is_due()

    def _probes(self, exclude: Sequence[str]) -> list[Probe]:
        targets = choose_targets(
            [item for item in self.nlp.pipeline if item[0] not in exclude],
            self.settings.components,
            self.settings.names,
            trained_weights=self.settings.target == "weights",
        )
        return [make_probe(target.layer, self.settings.target) for target in targets]

    def _run(self, passes: Passes) -> Losses:
        """Run all passes, and leave the sum of their gradients and of those that waited in the parameters."""
        parameters = passes.parameters
        with parameters.set_aside() as waiting:
            before = dump_random_state()
            losses = passes.run()
            after, overflow, captures = dump_random_state(), parameters.overflow, passes.captures()
            gradients = parameters.take()
            adversarial, adversarial_losses = self._attack(passes, captures, before)
            load_random_state(after)
        parameters.overflow = overflow
        add(gradients, waiting)
        add(gradients, adversarial, self.settings.weight)
        parameters.put(gradients)
        return {**losses, **{f"{name}{SUFFIX}": value for name, value in adversarial_losses.items()}}

    def _attack(self, passes: Passes, clean: Captures, state: RandomState) -> tuple[Gradients, Losses]:
        """Gradients and losses of the adversarial passes; none if the attack is given up."""
        try:
            if any(passes.parameters.overflow):
                raise SkipError("the clean gradient overflows in mixed precision")
            found = passes.attack(self.settings.attack, clean, state, self.schedule.noise_seed())
        except SkipError as error:
            self.stats.skip(str(error))
            return {}, {}
        self.stats.attacked += 1
        return found

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
