"""What a folder of experiments holds: the rows of the matrix, and of each the runs that are done."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from spacy.util import load_config

from ...corpus.record import Entity
from ...errors import ExperimentError
from ...files import read_json
from ...ner.spans import Nesting
from ..folder import RunFolder, TrainingLog, read_log, seed_differences
from ..index import IndexRow, read_index
from ..predictions import Scored, passing, read_predictions, tuned_f1
from ..scores import Counts, text_counts
from ..texts import AnnotatedTexts, read_mentions, read_texts


@dataclass(frozen=True)
class RunResult:
    """A run that is done.

    seed (int): its seed.
    folder (RunFolder): its files.
    settings (dict): the variables that its command gave in place of the matrix's own.
    thresholds (dict): of its pipeline, by label.
    nesting (str): of its pipeline.
    counts (int64 [texts, 3]): hits, found and gold of each text.
    tuned (float): F1 with thresholds tuned on the other half of the texts, see `tuned_f1`.
    log (TrainingLog): its evaluations.
    environment (dict): what it ran on, its steps and seconds.
    """

    seed: int
    folder: RunFolder
    settings: dict[str, Any]
    thresholds: dict[str, float]
    nesting: Nesting
    counts: Counts
    tuned: float
    log: TrainingLog
    environment: dict[str, Any]

    def found(self) -> list[Scored]:
        """The spans that pass the thresholds. They are read again each time, because they are many."""
        return [passing(spans, self.thresholds, self.nesting) for spans in read_predictions(self.folder.predictions)]


@dataclass(frozen=True)
class RowResult:
    """A row of the matrix.

    name, title, against (str): see `Row`.
    runs (list of RunResult): those that are done.
    missing (str): what the row needs and did not get.
    unfinished (dict of str): for each seed that was begun and is not done, the message if it failed.
    """

    name: str
    title: str
    against: str
    runs: list[RunResult] = field(default_factory=list)
    missing: str = ""
    unfinished: dict[int, str] = field(default_factory=dict)

    def note(self, *, messages: bool) -> str:
        """Why the row was not run, or which seeds are not done; empty if there is nothing to say.

        messages (bool): with the messages of failures, which name files of the machine.
        """
        notes = []
        for seed, message in self.unfinished.items():
            reason = f": {message}" if message and messages else ""
            notes.append(f"seed {seed} {'failed' if message else 'not finished'}{reason}")
        return "; ".join(notes) or ("" if self.runs else self.missing or "not started")


@dataclass(frozen=True)
class Results:
    """All rows, and the texts they were scored on.

    matrix, baseline, variables (str, str, list of str): see `Index`.
    rows (list of RowResult): in the order of the matrix.
    texts (AnnotatedTexts): what all runs were scored on.
    """

    matrix: str
    baseline: str
    variables: list[str]
    rows: list[RowResult]
    texts: AnnotatedTexts

    @property
    def done(self) -> list[RowResult]:
        """The rows with at least one run."""
        return [row for row in self.rows if row.runs]

    @property
    def gold(self) -> Sequence[frozenset[Entity]]:
        """The gold entities of each text."""
        return self.texts.gold


def read_results(folder: Path) -> Results:
    """Read a folder that `medflat experiments` filled, and the dev texts that its runs name.

    folder (Path): of all runs.
    RAISES (MedflatError): it is no such folder, nothing in it is done, its runs were scored on other texts than those
        that are there now, or the seeds of a row differ in more than the seed.
    """
    index = read_index(folder)
    done = {
        row.name: [seed for seed in _seeds(folder / row.name) if RunFolder.of(folder, row.name, seed).done]
        for row in index.rows
    }
    first = next(((name, seeds[0]) for name, seeds in done.items() if seeds), None)
    if first is None:
        raise ExperimentError(f"{folder}: no run is done yet; run `spacy medflat experiments` first")
    texts = read_texts(_corpora(RunFolder.of(folder, *first))["dev"])
    rows = [_read_row(folder, row, done[row.name], texts) for row in index.rows]
    return Results(index.matrix, index.baseline, index.variables, rows, texts)


def training_mentions(row: RowResult) -> frozenset[tuple[str, str]]:
    """Characters and label of the entities that a row was trained on; it must have a run."""
    return read_mentions(_corpora(row.runs[0].folder)["train"])


def _corpora(folder: RunFolder) -> dict[str, Any]:
    return load_config(folder.config, interpolate=True)["corpora"]


def _seeds(folder: Path) -> list[int]:
    numbers = (path.name.removeprefix("seed-") for path in folder.glob("seed-*"))
    return sorted(int(number) for number in numbers if number.isdecimal())


def _read_row(folder: Path, row: IndexRow, seeds: list[int], texts: AnnotatedTexts) -> RowResult:
    runs = [_read_run(RunFolder.of(folder, row.name, seed), seed, texts) for seed in seeds]
    for run in runs[1:]:
        if differences := seed_differences(runs[0].folder, run.folder):
            raise ExperimentError(
                f"{runs[0].folder.path} and {run.folder.path} are of different definitions: {'; '.join(differences)}. "
                "Remove one of them, or give its row another name in the matrix"
            )
    begun = {*row.seeds, *_seeds(folder / row.name)} - set(seeds)
    waiting = {seed: RunFolder.of(folder, row.name, seed) for seed in sorted(begun)}
    unfinished = {seed: _failure(run) for seed, run in waiting.items() if run.config.exists()}
    return RowResult(row.name, row.title, row.against, runs, row.missing, unfinished)


def _failure(folder: RunFolder) -> str:
    return str(read_json(folder.failure).get("message")) if folder.failure.exists() else ""


def _read_run(folder: RunFolder, seed: int, texts: AnnotatedTexts) -> RunResult:
    scores = read_json(folder.scores)
    if scores.get("checksum") != texts.checksum:
        raise ExperimentError(
            f"{folder.path} was scored on other texts than are there now (checksum {scores.get('checksum')}, "
            f"now {texts.checksum}): put the dev texts back, or remove its scores.json and run it again"
        )
    predictions = read_predictions(folder.predictions)
    if len(predictions) != len(texts):
        message = f"{folder.predictions} has {len(predictions)} texts, not {len(texts)}; remove scores.json, run again"
        raise ExperimentError(message)
    thresholds, nesting = scores["thresholds"], scores["nesting"]
    return RunResult(
        seed,
        folder,
        read_json(folder.row).get("settings", {}),
        thresholds,
        nesting,
        text_counts(texts.gold, [passing(spans, thresholds, nesting) for spans in predictions]),
        tuned_f1(texts.gold, predictions, thresholds),
        read_log(folder.log),
        read_json(folder.environment),
    )
