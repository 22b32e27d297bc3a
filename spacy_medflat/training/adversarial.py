"""`nlp.update`, made adversarial: a clean pass, an attack, adversarial passes, and one gradient of all."""

from collections.abc import Iterable, Sequence
from functools import partial
from typing import Any, Literal, NamedTuple

from spacy import ty
from spacy.language import Language
from spacy.training import Example
from thinc.api import Model, Optimizer

from .attacks import Attack
from .gradients import Parameters, add
from .passes import Passes
from .probes import Probe, SkipError, make_probe
from .randomness import RandomState
from .schedule import Schedule
from .stats import Stats
from .targets import choose_targets

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
            if self.nlp._optimizer is None:
                self.nlp._optimizer = self.nlp.create_optimizer()
            sgd = self.nlp._optimizer
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
