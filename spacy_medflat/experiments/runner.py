"""All runs of a matrix, some at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..corpus.atomic import write_json
from ..corpus.record import CorpusError
from ..scale.machine import usable_cpus
from .folder import RunFolder
from .matrix import Matrix, Row
from .run import Resources, execute

INDEX = "experiments.json"


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
        except (CorpusError, OSError) as error:
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
