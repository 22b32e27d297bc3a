"""Bringing spaCy's training loop to a checkpoint: the steps done before run again, without their work.

The loop cannot start at a step. So it starts at 0 with the batches of the first run, in the same order, and with a
stand-in for the pipeline that does nothing; evaluations give the scores of the first run. Afterwards step, epoch, best
score, schedules, dropout and the position in the data are what they were.
"""

import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from typing import Any

from spacy.language import Language
from spacy.training import Example
from spacy.util import dict_to_dot
from thinc.api import Config

from ...errors import CheckpointError
from ..randomness import with_own_randomness
from .checkpoint import Checkpoint, Evaluation

Scores = tuple[float, dict[str, Any]]
Batch = tuple[int, list[Example]]
# What may differ between the runs: it cannot change a weight.
_FREE = "training.logger."


class Replay:
    """Stands for the pipeline in `train_while_improving`, up to the step of a checkpoint; then passes all on to it.

    nlp (Language): the pipeline.
    checkpoint (Checkpoint or None): where to come to; None for a new run.
    evaluate (callable): gives score and other scores of the pipeline.
    before_update (callable or None): the callback of the config.
    active (bool): whether the step of the checkpoint is still to come; set by the loop.
    """

    def __init__(
        self,
        nlp: Language,
        checkpoint: Checkpoint | None,
        evaluate: Callable[[], Scores],
        before_update: Callable[[Language, dict[str, Any]], None] | None,
    ):
        self.nlp, self.active = nlp, checkpoint is not None
        self._evaluate, self._before_update = evaluate, before_update
        self._step = 0
        self._losses: dict[int, dict[str, float]] = {}
        self._evaluations: dict[int, Evaluation] = {}
        if checkpoint:
            self._evaluations = {found.step: found for found in checkpoint.evaluations}
            self._losses = {checkpoint.step: checkpoint.losses}
            self._losses.update({step: found.losses for step, found in self._evaluations.items()})

    @property
    def pipeline(self) -> list[tuple[str, Any]]:
        """The components to update: none in a replay."""
        return [] if self.active else self.nlp.pipeline

    def update(self, examples: Iterable[Example], *, losses: dict[str, float], **settings: Any) -> None:
        """`Language.update`, or the losses of the first run where they are known."""
        if self.active:
            losses.update(self._losses.get(self._step, {}))
        else:
            self.nlp.update(examples, losses=losses, **settings)

    def use_params(self, params: Any) -> AbstractContextManager:
        """`Language.use_params`."""
        return self.nlp.use_params(params)

    def evaluate(self) -> Scores:
        """The scores of this step."""
        if not self.active:
            return self._evaluate()
        found = self._evaluations[self._step]
        return found.score, found.other_scores

    def before_update(self, _: Any, where: dict[str, Any]) -> None:
        """The callback of the config, which sees the pipeline itself. It is called in a replay too.

        An adversarial update, too, is told the step: what it counts itself would begin at 0 again.
        """
        self._step = where["step"]
        if tell := getattr(self.nlp.update, "tell", None):
            tell(where["step"], where["epoch"])
        if self._before_update:
            self._before_update(self.nlp, where)


class Batches:
    """The batches of a training, which depend on nothing that happens in training.

    batches (iterable of (int, list of Example)): epochs and batches.
    texts (int): CRC-32 of all texts so far, see `annotated_crc`.
    """

    def __init__(self, batches: Iterable[Batch]):
        self._batches = batches
        self.texts = 0

    def __iter__(self) -> Iterator[Batch]:
        for epoch, batch in with_own_randomness(self._batches):
            self.texts = annotated_crc(batch, self.texts)
            yield epoch, batch


def annotated_crc(examples: Iterable[Example], start: int = 0) -> int:
    """CRC-32 of texts and of their gold spans, entities and categories; the same in every process.

    examples (iterable of Example): texts.
    start (int): the CRC-32 of texts before them.
    RETURNS (int): the CRC-32 of all.
    """
    for example in examples:
        doc = example.reference
        groups = [*sorted(doc.spans.items()), ("ents", doc.ents)]
        spans = [(key, [(span.start_char, span.end_char, span.label_) for span in group]) for key, group in groups]
        content = repr((doc.text, spans, sorted(doc.cats.items())))
        start = zlib.crc32(content.encode("utf8", "surrogatepass"), start)
    return start


def check_same_run(nlp: Language, checkpoint: Checkpoint, dev_texts: int) -> None:
    """Make sure that a checkpoint belongs to a training of this pipeline with this config and these dev texts.

    nlp (Language): the initialized pipeline.
    checkpoint (Checkpoint): where it is to go on.
    dev_texts (int): the CRC-32 of the dev texts, see `annotated_crc`.
    RAISES (CheckpointError): it does not; the message names the differences.
    """
    if differences := config_differences(checkpoint.config, nlp.config.to_str()):
        raise CheckpointError(
            "the config is not that of the checkpoint: " + "; ".join(differences) + ". Change it back, or train anew "
            "with --force"
        )
    for name, labels in find_labels(nlp).items():
        if labels != checkpoint.labels.get(name):
            raise CheckpointError(
                f"the labels of {name!r} are {labels}, but {checkpoint.labels.get(name)} in the checkpoint: the "
                "training data has changed. Change it back, or train anew with --force"
            )
    if dev_texts != checkpoint.dev_texts:
        raise CheckpointError(
            "the dev texts, or their annotations, are not those that the checkpoint's scores are of. Change them back, "
            "or train anew with --force"
        )


def config_differences(before: str, after: str) -> list[str]:
    """The settings that differ between two configs, such as "training.seed: 0, now 1"."""
    old, new = (dict_to_dot(Config().from_str(text, interpolate=False)) for text in (before, after))
    missing = "(not set)"
    return [
        f"{name}: {old.get(name, missing)!r}, now {new.get(name, missing)!r}"
        for name in sorted(old.keys() | new.keys())
        if old.get(name, missing) != new.get(name, missing) and not name.startswith(_FREE)
    ]


def find_labels(nlp: Language) -> dict[str, list[str]]:
    """The labels of each component that has some, in their order."""
    labels = {name: list(getattr(pipe, "labels", None) or []) for name, pipe in nlp.components}
    return {name: found for name, found in labels.items() if found}
