"""The figures of a report: a line for each row, splits and errors of single rows, worst texts, machines."""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np

from ...corpus.record import Entity
from ..breakdowns import Classes, by_length, by_nesting, by_seen, by_type, split_counts
from ..confusion import error_kinds, type_confusion
from ..environment import environment_line
from ..predictions import Scored
from ..scores import Counts, Difference, Spread, difference, sample_rows, score, spread
from .results import Results, RowResult, training_mentions

# Longer texts have more errors, and fill the page.
MAX_LENGTH = 300


@dataclass(frozen=True)
class Case:
    """A text with errors.

    index (int): of the text.
    gold, found (Entity, with scores of what was found): its spans.
    errors (int): how many are wrong or missing.
    """

    index: int
    gold: Collection[Entity]
    found: Scored
    errors: int


def worst_cases(
    texts: Sequence[str], gold: Sequence[Collection[Entity]], found: Sequence[Scored], count: int = 100
) -> list[Case]:
    """The texts of up to `MAX_LENGTH` characters with the most wrong and missing spans together, equal ones in order.

    texts, gold, found (sequences): the texts, their gold, and what was found in each.
    count (int): how many texts.
    """
    cases = [
        Case(i, gold[i], found[i], len(set(gold[i]) ^ set(found[i])))
        for i, text in enumerate(texts)
        if len(text) <= MAX_LENGTH
    ]
    return sorted((case for case in cases if case.errors), key=lambda case: (-case.errors, case.index))[:count]


def environments(results: Results) -> list[str]:
    """A line for each environment among the runs: packages, processor, threads."""
    return sorted({environment_line(run.environment) for row in results.done for run in row.runs})


SPLITS = ("type", "nesting", "length", "mention")


@dataclass(frozen=True)
class Line:
    """One row of the table.

    row (RowResult): the row of the matrix.
    p, r, f, tuned (Spread): scores over its seeds.
    difference (Difference or None): to the row it is compared with; None if there is none.
    steps (int): of the longest training.
    seconds (float): of a training, the mean.
    """

    row: RowResult
    p: Spread
    r: Spread
    f: Spread
    tuned: Spread
    difference: Difference | None
    steps: int
    seconds: float

    @property
    def seeds(self) -> list[int]:
        """The seeds that are done."""
        return [run.seed for run in self.row.runs]


@dataclass(frozen=True)
class Detail:
    """What one row gets right and wrong, summed over its seeds.

    row (RowResult): the row of the matrix.
    splits (dict of dict): by the name in `SPLITS`, the counts of each class, see `split_counts`.
    wrong, lost (Counter): kinds of error of found and of gold spans.
    confusion (Counter): of (gold label, found label).
    """

    row: RowResult
    splits: dict[str, dict[str, Counts]]
    wrong: Counter[str]
    lost: Counter[str]
    confusion: Counter[tuple[str, str]]

    @property
    def seeds(self) -> int:
        """How many runs were summed."""
        return len(self.row.runs)


def lines(results: Results, resamples: int = 2000) -> list[Line]:
    """A line for each row with a run that is done. A row is compared with the one it names, if that has a run, too.

    results (Results): all rows.
    resamples (int): see `sample_rows`.
    """
    sampled = sample_rows({row.name: [run.counts for run in row.runs] for row in results.done}, resamples)
    found = []
    for row in results.done:
        scores = [score(run.counts) for run in row.runs]
        is_compared = row.against != row.name and row.against in sampled
        found.append(
            Line(
                row,
                spread([s.p for s in scores]),
                spread([s.r for s in scores]),
                spread([s.f for s in scores]),
                spread([run.tuned for run in row.runs]),
                difference(sampled[row.name], sampled[row.against]) if is_compared else None,
                max(int(run.environment["steps"]) for run in row.runs),
                float(np.mean([run.environment["seconds"] for run in row.runs])),
            )
        )
    return found


def best_row(found: list[Line]) -> RowResult:
    """The row with the highest mean F1, the first of equal ones. It is chosen on the texts it is scored on."""
    return max(found, key=lambda line: line.f.mean).row


def detail(results: Results, row: RowResult) -> Detail:
    """Splits and errors of a row."""
    classes: dict[str, Classes] = dict(
        zip(SPLITS, (by_type, by_nesting, by_length, by_seen(training_mentions(row))), strict=True)
    )
    splits: dict[str, dict[str, Counts]] = {name: {} for name in SPLITS}
    wrong: Counter[str] = Counter()
    lost: Counter[str] = Counter()
    confusion: Counter[tuple[str, str]] = Counter()
    for run in row.runs:
        found = run.found()
        for name, split in classes.items():
            for kind, counts in split_counts(results.texts.texts, results.gold, found, split).items():
                splits[name][kind] = splits[name].get(kind, np.zeros(4, dtype=np.int64)) + counts
        for total, part in zip((wrong, lost), error_kinds(results.gold, found), strict=True):
            total.update(part)
        confusion.update(type_confusion(results.gold, found))
    return Detail(row, {name: dict(sorted(split.items())) for name, split in splits.items()}, wrong, lost, confusion)
