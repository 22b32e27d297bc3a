"""All runs of a matrix, some at once, each stage in a process of its own; what is done is not done again."""

import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path

from ..errors import ExperimentError, MedflatError
from ..files import locked, write_json
from ..runtime import usable_cpus
from .folder import RunFolder, prepare
from .matrix import Row

_ERROR = re.compile(r"[\w.]*(Error|Exception|Interrupt|Killed)\b")
_MESSAGE_LENGTH = 400


@dataclass(frozen=True)
class Run:
    """A row with one seed.

    row (Row): of the matrix.
    seed (int): one of its seeds.
    folder (RunFolder): where it runs.
    """

    row: Row
    seed: int
    folder: RunFolder

    @property
    def name(self) -> str:
        """Row and seed, for messages."""
        return f"{self.row.name}, seed {self.seed}"


@dataclass(frozen=True)
class Resources:
    """What one run may use.

    threads (int): of torch.
    gpu_id (int): the GPU, -1 for the CPU.
    """

    threads: int
    gpu_id: int = -1


def runs_of(rows: Iterable[Row], output: Path) -> list[Run]:
    """The runs of the rows that can be run, the first seed of all rows first, so that a table fills evenly.

    rows (iterable of Row): of a matrix.
    output (Path): the folder of all runs.
    """
    by_row = [
        [Run(row, seed, RunFolder.of(output, row.name, seed)) for seed in row.seeds] for row in rows if not row.missing
    ]
    return [run for runs in zip_longest(*by_row) for run in runs if run is not None]


def run_all(
    runs: list[Run], *, jobs: int = 1, gpu_id: int = -1, report: Callable[[Run, str], None]
) -> list[tuple[Run, Exception]]:
    """Execute the runs. One that fails does not stop the others.

    runs (list of Run): see `runs_of`.
    jobs (int): runs at once, each with its share of the cores.
    gpu_id (int): the GPU for all runs, -1 for the CPU.
    report (callable): called with a run and what happens to it, from several threads.
    RETURNS (list of (Run, Exception)): the runs that failed, and why, in their order.
    """
    resources = Resources(max(1, usable_cpus() // jobs), gpu_id)

    def attempt(run: Run) -> Exception | None:
        done = run.folder.done
        if not done:
            report(run, "starts")
        try:
            execute(run, resources)
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


def execute(run: Run, resources: Resources) -> None:
    """Train and score, or resume where an earlier attempt was interrupted.

    run (Run): what to do.
    resources (Resources): what it may use.
    RAISES (MedflatError): a stage fails, or the folder is of another definition of the row. The stages that are done
        stay, and `failure.json` has the reason.
    """
    folder = run.folder
    folder.path.mkdir(parents=True, exist_ok=True)
    with locked(folder.path / "lock"):
        # A stage may outlive the process that started it.
        with locked(folder.stage_lock):
            pass
        try:
            prepare(folder, run.row, run.seed)
            if folder.done:
                return
            if not folder.environment.exists():
                run_stage("train", "training", folder, resources)
            run_stage("score", "scoring", folder, resources)
        except MedflatError as error:
            # A run that is done stays so, whatever the row says now.
            if not folder.done:
                write_json(folder.failure, {"message": str(error)})
            raise
        folder.failure.unlink(missing_ok=True)


def run_stage(stage: str, title: str, folder: RunFolder, resources: Resources) -> None:
    """Run a stage in a process of its own. What it prints is added to the run's `train.log`.

    stage (str): a key of `stages.STAGES`.
    title (str): what it does, for the message.
    folder (RunFolder): the run.
    resources (Resources): what it may use.
    RAISES (ExperimentError): the stage fails.
    """
    command = [sys.executable, "-m", f"{__package__}.stages", stage, str(folder.path), str(resources.gpu_id)]
    # Waiting threads that spin would take the cores from the other runs.
    variables = {"OMP_NUM_THREADS": str(resources.threads), "OMP_WAIT_POLICY": "PASSIVE", "PYTHONUNBUFFERED": "1"}
    with folder.output.open("ab") as output:
        process = subprocess.Popen(
            command,
            env={**os.environ, **variables},
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        try:
            code = process.wait()
        finally:
            process.terminate()
            process.wait()
    if code:
        raise ExperimentError(f"{title} failed with exit code {code}: {_last_message(folder)}; see {folder.output}")


def _last_message(folder: RunFolder) -> str:
    """The last line that names an error, or else the last one that was printed; cut, for a message."""
    lines = folder.output.read_text(encoding="utf-8", errors="replace").splitlines()
    printed = [line.strip() for line in lines if line.strip()] or ["it printed nothing"]
    line = next((line for line in reversed(printed) if _ERROR.match(line)), printed[-1])
    return line if len(line) <= _MESSAGE_LENGTH else f"{line[: _MESSAGE_LENGTH - 1]}…"
