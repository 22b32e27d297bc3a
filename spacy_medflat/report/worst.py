"""The texts that a run reads worst, gold beside prediction."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from ..corpus.record import Entity
from ..experiments.predictions import Scored

# Longer texts have more errors, and fill the page.
MAX_LENGTH = 300


@dataclass(frozen=True)
class Case:
    """A text by its index, with its gold, what was found, and how many spans are wrong or missing."""

    index: int
    gold: Collection[Entity]
    found: Scored
    errors: int


def worst_cases(
    texts: Sequence[str], gold: Sequence[Collection[Entity]], found: Sequence[Scored], count: int = 30
) -> list[Case]:
    """The texts with the most wrong and missing spans together, the first of equal ones, of those up to `MAX_LENGTH`
    characters."""
    cases = [
        Case(i, gold[i], found[i], len(set(gold[i]) ^ set(found[i])))
        for i, text in enumerate(texts)
        if len(text) <= MAX_LENGTH
    ]
    return sorted((case for case in cases if case.errors), key=lambda case: (-case.errors, case.index))[:count]
