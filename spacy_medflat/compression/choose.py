"""Which layers stay float32: those whose 8 bits change the scores of spans most, as measured on texts."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from ..ner.span_finder import LOWEST_SCORE
from ..ner.spans import Candidates
from .parts import Part

# The mean change of a span's score that is left alone.
TOLERANCE = 0.02
# At most this share of the layers stays float32.
MOST_EXCEPTIONS = 0.25

Read = Callable[[], Sequence[Candidates]]


class Choice(NamedTuple):
    """What was measured.

    kept (list of Part): the layers that stay float32.
    change_of_all (float): mean change of a span's score with every layer in 8 bits.
    change (float): without those that stay float32.
    changes (dict of float): with one layer alone in 8 bits, by layer; empty if all of them changed little together.
    """

    kept: list[Part]
    change_of_all: float
    change: float
    changes: dict[str, float]


def choose_exceptions(parts: Sequence[Part], read: Read, tolerance: float = TOLERANCE) -> Choice:
    """Compress a pipeline, and leave float32 what changes its scores too much.

    Layers become float32 again, those that change scores most alone first, until the mean change of a score is within
    the tolerance, or too many would.

    parts (sequence of Part): all layers; they are float32 before, and as chosen after.
    read (callable): finds the spans of the texts.
    tolerance (float): the largest mean change of a score that is left alone, 0 to 1.
    """
    before = read()
    _use(parts, True)
    change_of_all = change = score_change(before, read())
    if change <= tolerance:
        return Choice([], change_of_all, change, {})
    _use(parts, False)
    changes = []
    for part in parts:
        part.use(True)
        changes.append(score_change(before, read()))
        part.use(False)
    order = sorted(range(len(parts)), key=lambda i: -changes[i])
    _use(parts, True)
    kept: list[Part] = []
    for i in order[: int(MOST_EXCEPTIONS * len(parts))]:
        parts[i].use(False)
        kept.append(parts[i])
        change = score_change(before, read())
        if change <= tolerance:
            break
    return Choice(kept, change_of_all, change, {str(part): value for part, value in zip(parts, changes, strict=True)})


def score_change(one: Sequence[Candidates], other: Sequence[Candidates]) -> float:
    """The mean difference of the scores that spans have here and there; a span that is not there has `LOWEST_SCORE`.

    one, other (sequence of Candidates): spans of the same texts.
    """
    differences = []
    for pair in zip(one, other, strict=True):
        here, there = ({tuple(span): score for *span, score in _rows(found)} for found in pair)
        differences += [
            abs(here.get(span, LOWEST_SCORE) - there.get(span, LOWEST_SCORE)) for span in here.keys() | there.keys()
        ]
    return float(np.mean(differences)) if differences else 0.0


def _use(parts: Sequence[Part], int8: bool) -> None:
    for part in parts:
        part.use(int8)


def _rows(found: Candidates) -> list[tuple[int, int, int, float]]:
    columns = (found.start, found.end, found.label, found.score)
    return list(zip(*(column.tolist() for column in columns), strict=True))
