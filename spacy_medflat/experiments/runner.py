"""All runs of a matrix, some at once, each stage in a process of its own; what is done is not done again."""

import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import ExperimentError, MedflatError
from ..files import locked, write_json
from ..runtime import usable_cpus
from .folder import RunFolder, prepare
from .matrix import Matrix, Row

_ERROR = re.compile(r"[\w.]*(Error|Exception|Interrupt|Killed)\b")
_CLIP = 400
INDEX = "experiments.json"


@dataclass(frozen=True)
class Resources:
    """What one run may use: threads, and the GPU by its number, -1 for none."""

    threads: int
    gpu_id: int = -1


def execute(folder: RunFolder, row: Row, seed: int, resources: Resources) -> None:
    """Train and score, or go on where an earlier attempt was interrupted.

    RAISES (ExperimentError): A stage fails, or the folder is of another definition of the row. What was done stays, and
        `failure.json` has the reason.
    """
    folder.path.mkdir(parents=True, exist_ok=True)
    with locked(folder.path / "lock") as descriptors:
        try:
            prepare(folder, row, seed)
            if folder.done:
                return
            stage = _Stage(folder, resources, descriptors)
            if not folder.environment.exists():
                stage("training", "train")
            stage("scoring", "score")
        except MedflatError as error:
            # What is done stays as it is, whatever the row says now.
            if not folder.done:
                write_json(folder.failure, {"message": str(error)})
            raise
        folder.failure.unlink(missing_ok=True)


@dataclass(frozen=True)
class _Stage:
    """Runs a stage in a process of its own; what it prints is added to the run's `train.log`."""

    folder: RunFolder
    resources: Resources
    descriptors: tuple[int, ...]

    def __call__(self, title: str, stage: str) -> None:
        module = f"{__package__}.stages"
        command = [sys.executable, "-m", module, stage, str(self.folder.path), str(self.resources.gpu_id)]
        threads = str(self.resources.threads)
        # Waiting threads that spin would take the cores from the other runs.
        settings = {"OMP_NUM_THREADS": threads, "OMP_WAIT_POLICY": "PASSIVE", "PYTHONUNBUFFERED": "1"}
        with self.folder.output.open("ab") as output:
            process = subprocess.Popen(
                command,
                env={**os.environ, **settings},
                stdout=output,
                stderr=subprocess.STDOUT,
                pass_fds=self.descriptors,
            )
            try:
                code = process.wait()
            finally:
                process.terminate()
                process.wait()
        if code:
            message = f"{title} failed with exit code {code}: {_last_words(self.folder)}; see {self.folder.output}"
            raise ExperimentError(message)


def _last_words(folder: RunFolder) -> str:
    """The last line that names an error, or else the last one that was printed; clipped, for a message."""
    lines = folder.output.read_text(encoding="utf-8", errors="replace").splitlines()
    printed = [line.strip() for line in lines if line.strip()] or ["it printed nothing"]
    line = next((line for line in reversed(printed) if _ERROR.match(line)), printed[-1])
    return line if len(line) <= _CLIP else f"{line[: _CLIP - 1]}…"


@dataclass(frozen=True)
class Run:
    """A row with one seed, and its folder."""

    row: Row
    seed: int
    folder: RunFolder

    @property
    def name(self) -> str:
        """For people."""
        return f"{self.row.name}, seed {self.seed}"


def runs_of(rows: Iterable[Row], output: Path) -> list[Run]:
    """The runs of the rows that can be run, the first seed of all rows first, so that a table fills evenly."""
    runnable = [row for row in rows if not row.missing]
    depth = max((len(row.seeds) for row in runnable), default=0)
    return [
        Run(row, row.seeds[i], RunFolder.of(output, row.name, row.seeds[i]))
        for i in range(depth)
        for row in runnable
        if i < len(row.seeds)
    ]


def run_all(
    runs: list[Run], *, jobs: int = 1, gpu_id: int = -1, report: Callable[[Run, str], None]
) -> list[tuple[Run, Exception]]:
    """Execute the runs, `jobs` at once, each with its share of the cores. One that fails does not stop the others.

    report: Called with a run and what happens to it, from several threads.
    RETURNS: The runs that failed, and why, in their order.
    """
    resources = Resources(max(1, usable_cpus() // jobs), gpu_id)

    def attempt(run: Run) -> Exception | None:
        done = run.folder.done
        if not done:
            report(run, "starts")
        try:
            execute(run.folder, run.row, run.seed, resources)
        except (MedflatError, OSError) as error:
            report(run, f"failed: {error}")
            return error
        report(run, "was done before" if done else "done")
        return None

    with ThreadPoolExecutor(jobs) as pool:
        try:
            outcomes = list(pool.map(attempt, runs))
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return [(run, error) for run, error in zip(runs, outcomes, strict=True) if error is not None]


def write_index(matrix: Matrix, output: Path) -> None:
    """Write what the matrix has, for the report: rows, titles, seeds, and why a row cannot be run."""
    rows: list[dict[str, Any]] = [
        {
            "name": row.name,
            "title": row.title,
            "seeds": list(row.seeds),
            "against": row.against,
            "max_length": row.max_length,
            "missing": row.missing,
        }
        for row in matrix.rows
    ]
    # An absolute path would tell readers of the report nothing but what the machine is like.
    path = matrix.path.name if matrix.path.is_absolute() else matrix.path.as_posix()
    index = {
        "matrix": path,
        "baseline": matrix.baseline,
        "variables": matrix.variables,
        "rows": rows,
    }
    write_json(output / INDEX, index)
