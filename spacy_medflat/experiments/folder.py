"""The folder of one run, a row with one seed: where everything lies, and what belongs to whom."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import ExperimentError
from ..files import iter_lines, read_json, replaced_when_done, write_json
from ..training.resume.replay import config_differences
from .config import row_config
from .matrix import Row


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


@dataclass(frozen=True)
class RunFolder:
    """Paths below `OUT/row/seed-N`.

    `row` and `config` are there once a run has begun, `environment` once it is trained, `scores` once it is done;
    `failure` holds the last failure, until the next attempt.
    """

    path: Path

    @classmethod
    def of(cls, output: Path, row: str, seed: int) -> "RunFolder":
        """The folder of a row and a seed."""
        return cls(output / row / f"seed-{seed}")

    @property
    def row(self) -> Path:
        """The resolved row, JSON."""
        return self.path / "row.json"

    @property
    def config(self) -> Path:
        """The config that is trained with."""
        return self.path / "config.cfg"

    @property
    def training(self) -> Path:
        """The trained pipelines and, while it is trained, checkpoints."""
        return self.path / "training"

    @property
    def output(self) -> Path:
        """What the commands print."""
        return self.path / "train.log"

    @property
    def log(self) -> Path:
        """The evaluations, JSON lines."""
        return self.path / "log.jsonl"

    @property
    def environment(self) -> Path:
        """Versions, machine, steps and seconds, JSON."""
        return self.path / "environment.json"

    @property
    def predictions(self) -> Path:
        """All spans above a floor, JSON lines."""
        return self.path / "predictions.jsonl"

    @property
    def scores(self) -> Path:
        """Scores, thresholds, and what was scored on, JSON."""
        return self.path / "scores.json"

    @property
    def failure(self) -> Path:
        """Why the last attempt failed, JSON."""
        return self.path / "failure.json"

    @property
    def done(self) -> bool:
        """Whether there is nothing left to do."""
        return self.scores.exists()


def prepare(folder: RunFolder, row: Row, seed: int) -> None:
    """Write the config and the definition, or make sure that those which are there are of the same row.

    RAISES (ExperimentError): They are of another definition; the message names the differences. Or the row's config
        cannot be made.
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
    config = _config_text(row, seed, folder.log)
    if folder.row.exists() and folder.config.exists():
        before = folder.config.read_text(encoding="utf-8"), read_json(folder.row)
        if differences := _differences(before, (config, definition)):
            raise ExperimentError(
                f"{folder.path} is of another definition of this row: {'; '.join(differences)}. Change it back, give "
                "the row another name, or remove the folder"
            )
        return
    folder.path.mkdir(parents=True, exist_ok=True)
    with replaced_when_done(folder.config) as scratch:
        scratch.write_text(config, encoding="utf-8", newline="\n")
    write_json(folder.row, definition)


def seed_differences(folder: RunFolder, other: RunFolder) -> list[str]:
    """What differs between the definitions of two runs of a row but the seed, such as "training.max_steps: 5, now 8".

    RAISES (ExperimentError): A definition cannot be read.
    """
    before, after = ((f.config.read_text(encoding="utf-8"), read_json(f.row)) for f in (folder, other))
    return [text for text in _differences(before, after) if not text.startswith("system.seed:")]


def _differences(before: tuple[str, dict[str, Any]], after: tuple[str, dict[str, Any]]) -> list[str]:
    """Between two definitions, each a config and a row."""
    rows = [
        f"{name}: {before[1].get(name)}, now {after[1].get(name)}"
        for name in ("max_length", "scored")
        if before[1].get(name) != after[1].get(name)
    ]
    return config_differences(before[0], after[0]) + rows


def _config_text(row: Row, seed: int, log: Path) -> str:
    config = row_config(row, seed, log)
    try:
        return config.to_str()
    except (ValueError, TypeError) as error:
        raise ExperimentError(f"row {row.name}: no config can be written with these overrides: {error}") from error
