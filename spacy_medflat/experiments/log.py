"""The log of a training, as `spacy_medflat.ConsoleLogger.v1` writes it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from ..corpus.textio import iter_lines
from .matrix import ExperimentError


@dataclass(frozen=True)
class TrainingLog:
    """The evaluations of a training.

    steps, scores: Of each evaluation, by step; the main score, 0 to 1. seconds: Spent in all attempts together, those
    that were interrupted too, up to the last evaluation of each.
    """

    steps: list[int]
    scores: list[float]
    seconds: int


def read_log(path: Path) -> TrainingLog:
    """Read a log; of evaluations that an interrupted training repeated, the last counts.

    RAISES (ExperimentError): There is none, or a line that no logger wrote.
    """
    if not path.exists():
        raise ExperimentError(f"{path}: there is no log of this training; remove its folder and run it again")
    scores: dict[int, float] = {}
    # Each attempt has a clock of its own.
    seconds: dict[float, int] = {}
    for number, line in iter_lines(path):
        try:
            content = json.loads(line)
            scores[int(content["step"])] = float(content["score"])
            seconds[float(content["started"])] = int(content["seconds"])
        except (ValueError, KeyError, TypeError) as error:
            raise ExperimentError(f"{path} line {number}: no line of a training log: {error!r}") from error
    steps = sorted(scores)
    return TrainingLog(steps, [scores[step] for step in steps], sum(seconds.values()))
