"""`spacy_medflat.adversarial_training.v1` and its clock: adversarial training switched on by the config."""

import math
from collections.abc import Callable
from typing import Any, Literal

from spacy.language import Language
from spacy.util import logger, registry

from .attacks import Attack
from .schedule import Schedule
from .targets import choose_targets
from .update import AdversarialSettings, AdversarialUpdate


@registry.callbacks("spacy_medflat.adversarial_training.v1")
def create_adversarial_training(
    attack: Attack,
    target: Literal["output", "weights"] = "output",
    components: list[str] | None = None,
    names: list[str] | None = None,
    norm: Literal["text", "tensor"] | None = None,
    start_step: int = 0,
    start_epoch: int = 0,
    share: float = 1.0,
    weight: float = 1.0,
    seed: int = 0,
) -> Callable[[Language], Language]:
    """Train adversarially. It goes into `[initialize.after_init]` and works for any pipeline.

    A batch whose gradient is not finite is not attacked; it is counted in `nlp.update.stats`. In saved pipelines
    nothing is left but the text of the config.

    attack (Attack): `spacy_medflat.FGM.v1`, `.PGD.v1`, `.FreeLB.v1` or `.RandomPerturbation.v1`, from `@misc`.
    target (str): perturb the `output` of the embedding layers or, as is common, their `weights`. A perturbed output
        changes one position of one text; a perturbed weight, all places of a word.
    components (list of str, or None): components to attack; None for all that are trained and have an embedding layer.
    names (list of str, or None): full names of embedding layers (`transformer.embeddings.word_embeddings`), the part
        after the component, or patterns with `*`; None for those that embed words. An error lists what there is.
    norm (str or None): what the attack's lengths measure. `text` (the default for outputs): the vectors of one text
        together, or of one window of a long text in a transformer; the other texts of the batch do not matter. `tensor`
        (the only choice for weights): everything together. thinc's layers see all tokens of a batch in one array; it is
        divided by the texts' lengths, or taken as one if it is not made of all tokens. Each embedding layer has a
        norm of its own, also the several ones of a `MultiHashEmbed`.
    start_step, start_epoch (int): nothing is attacked before this step and this epoch, counted from 0. The epoch needs
        `spacy_medflat.adversarial_clock.v1` in `[training.before_update]`; steps are counted without it, too.
    share (float): share of batches that are attacked, 0 to 1.
    weight (float): factor on the adversarial loss.
    seed (int): of the attack's own random numbers.
    RETURNS (callable): makes the update of a pipeline adversarial.
    RAISES (ValueError): a setting is out of range.
    """
    if not (math.isfinite(weight) and weight >= 0):
        raise ValueError(f"weight is the factor on the adversarial loss, 0 or more, but it is {weight}")
    if target == "weights" and norm == "text":
        raise ValueError(
            "norm 'text' cannot be: weights belong to all texts. Set norm to 'tensor' or target to 'output'"
        )
    norm = norm or ("text" if target == "output" else "tensor")
    settings = AdversarialSettings(attack, target, components, names, norm, weight)
    Schedule(start_step, start_epoch, share, seed)  # raises now, not after initialization

    def adversarial_training(nlp: Language) -> Language:
        return wrap(nlp, settings, Schedule(start_step, start_epoch, share, seed))

    return adversarial_training


@registry.callbacks("spacy_medflat.adversarial_clock.v1")
def create_adversarial_clock() -> Callable[[Language, dict[str, Any]], None]:
    """Tell adversarial training the step and the epoch. It goes into `[training.before_update]`."""
    return _tell


def _tell(nlp: Language, info: dict[str, Any]) -> None:
    if isinstance(nlp.update, AdversarialUpdate):
        nlp.update.tell(info["step"], info["epoch"])


def wrap(nlp: Language, settings: AdversarialSettings, schedule: Schedule) -> Language:
    """Make `nlp.update` adversarial, in place. It replaces an adversarial update that is there already.

    nlp (Language): an initialized pipeline.
    settings (AdversarialSettings): what is attacked and how.
    schedule (Schedule): when.
    RETURNS (Language): the same pipeline.
    RAISES (ValueError): a component is absent, frozen, or without an embedding layer, or no layer has a wanted name.
    """
    unwrap(nlp)
    frozen = nlp.config.interpolate()["training"]["frozen_components"]
    chosen = choose_targets(
        [item for item in nlp.components if item[0] not in frozen],
        settings.components,
        settings.names,
        trained_weights=settings.target == "weights",
    )
    logger.info(
        "Adversarial training: %s on the %s of %s", settings.attack, settings.target, ", ".join(t.name for t in chosen)
    )
    nlp.update = AdversarialUpdate(nlp, settings, schedule)  # type: ignore[method-assign]
    return nlp


def unwrap(nlp: Language) -> Language:
    """Give `nlp` back the update that it had; do nothing if it is not adversarial."""
    update = nlp.__dict__.get("update")
    if isinstance(update, AdversarialUpdate):
        del nlp.__dict__["update"]
        if nlp.update != update.original:
            nlp.update = update.original  # type: ignore[method-assign]
    return nlp
