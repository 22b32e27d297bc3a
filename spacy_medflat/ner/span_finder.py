"""Every span that any threshold of interest would let pass, for tuning and for statistics."""

from collections.abc import Iterable, Iterator
from typing import Protocol

from spacy.language import Language
from spacy.tokens import Doc
from spacy.util import minibatch

from .spans import Candidates

# Well below any threshold worth having, and high enough to keep the candidates few.
FLOOR = 0.02


class CandidateFinder(Protocol):
    """A component that scores spans: `medflat_ner`, or an ensemble of such."""

    name: str

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels, in the order of the candidates' indices."""

    def candidates(self, docs: Iterable[Doc], thresholds: Iterable[float]) -> list[Candidates]:
        """The spans with a probability above the threshold of their label (float [labels]), one item for each Doc."""


def candidates_of(
    nlp: Language, recognizer: CandidateFinder, texts: Iterable[str], floor: float = FLOOR
) -> Iterator[tuple[Doc, Candidates]]:
    """Each text as a Doc, and its spans with a probability above the floor, nesting not resolved.

    Only the components before the recognizer run, and the recognizer's model; nothing is written into the Docs.
    """
    names = nlp.pipe_names
    later = names[names.index(recognizer.name) :]
    for docs in minibatch(nlp.pipe(texts, disable=later), nlp.batch_size):
        yield from zip(docs, recognizer.candidates(docs, [floor] * len(recognizer.labels)), strict=True)
