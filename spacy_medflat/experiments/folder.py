"""The folder of one run, a row with one seed: where everything lies, and which definition it is of."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import ExperimentError
from ..files import iter_lines, read_json, write_json, write_text
from ..training.resume.replay import config_differences
from .config import row_config
from .matrix import Row


@dataclass(frozen=True)
class TrainingLog:
    """The evaluations of a training.

    steps (list of int): when each was.
    scores (list of float): the main score of each, 0 to 1.
    seconds (int): spent in all attempts together, also interrupted ones, each up to its last evaluation.
    """

    steps: list[int]
    scores: list[float]
    seconds: int


def read_log(path: Path) -> TrainingLog:
    """Read a log. Of evaluations that an interrupted training repeated, the last counts.

    RAISES (ExperimentError): there is none, or a line that no logger wrote.
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


class RunFolder:
    """The folder of a run, `OUT/row/seed-N`, and the paths in it.

    row (Path): the resolved row, JSON; there once the run has begun.
    config (Path): what is trained with; there once the run has begun.
    training (Path): the trained pipelines and, during the training, checkpoints.
    output (Path): what the stages print.
    log (Path): the evaluations, JSON lines.
    environment (Path): versions, machine, steps and seconds, JSON; there once the run is trained.
    predictions (Path): all spans above `LOWEST_SCORE`, JSON lines.
    scores (Path): scores, thresholds, and what was scored on, JSON; there once the run is done.
    stage_lock (Path): held by the process of a stage.
    failure (Path): why the last attempt failed, JSON; there until the next one.
    """

    def __init__(self, path: Path):
        self.path = path
        self.row = path / "row.json"
        self.config = path / "config.cfg"
        self.training = path / "training"
        self.output = path / "train.log"
        self.log = path / "log.jsonl"
        self.environment = path / "environment.json"
        self.predictions = path / "predictions.jsonl"
        self.scores = path / "scores.json"
        self.failure = path / "failure.json"
        self.stage_lock = path / "stage.lock"

    @classmethod
    def of(cls, output: Path, row: str, seed: int) -> "RunFolder":
        """The folder of a row and a seed, below the folder of all runs."""
        return cls(output / row / f"seed-{seed}")

    @property
    def done(self) -> bool:
        """Whether there is nothing left to do."""
        return self.scores.exists()


def prepare(folder: RunFolder, row: Row, seed: int) -> None:
    """Write the config and the definition of a run, or make sure that those which are there are the same.

    folder (RunFolder): of the run.
    row (Row): what is trained.
    seed (int): of the run.
    RAISES (ExperimentError): they are of another definition, or the config of the row cannot be made.
    """
    definition = {
        "name": row.name,
        "title": row.title,
        "seed": seed,
        "max_length": row.max_length,
        "scored": row.scored,
        "config": row.config.name,
        "overrides": row.overrides,
        "remove": list(row.remove),
        "settings": row.settings,
    }
    config = row_config(row, seed, folder.log)
    try:
        text = config.to_str()
    except (ValueError, TypeError) as error:
        raise ExperimentError(f"row {row.name}: no config can be written with these overrides: {error}") from error
    if folder.row.exists() and folder.config.exists():
        if differences := _differences(_definition(folder), (text, definition)):
            raise ExperimentError(
                f"{folder.path} is of another definition of this row: {'; '.join(differences)}. Change it back, give "
                "the row another name, or remove the folder"
            )
        return
    folder.path.mkdir(parents=True, exist_ok=True)
    write_text(folder.config, text)
    write_json(folder.row, definition)


def seed_differences(folder: RunFolder, other: RunFolder) -> list[str]:
    """What differs between the definitions of two runs of a row but the seed, such as "training.max_steps: 5, now 8".

    folder, other (RunFolder): of the two runs.
    RAISES (MedflatError): a definition cannot be read.
    """
    differences = _differences(_definition(folder), _definition(other))
    return [difference for difference in differences if not difference.startswith("system.seed:")]


def _definition(folder: RunFolder) -> tuple[str, dict[str, Any]]:
    return folder.config.read_text(encoding="utf-8"), read_json(folder.row)


def _differences(before: tuple[str, dict[str, Any]], after: tuple[str, dict[str, Any]]) -> list[str]:
    """Between two definitions, each a config and a row."""
    rows = [
        f"{name}: {before[1].get(name)}, now {after[1].get(name)}"
        for name in ("max_length", "scored")
        if before[1].get(name) != after[1].get(name)
    ]
    return config_differences(before[0], after[0]) + rows
