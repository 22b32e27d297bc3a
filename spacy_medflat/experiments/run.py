"""One run, from its config to its scores, each stage in a process of its own; what is done is not done again."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import dataclass

from ..corpus.atomic import write_json
from .folder import RunFolder, prepare
from .lock import locked
from .matrix import ExperimentError, Row

_ERROR = re.compile(r"[\w.]*(Error|Exception|Interrupt|Killed)\b")
_CLIP = 400


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
            stage("scoring", "predict")
        except ExperimentError as error:
            # What is done stays as it is, whatever the row says now.
            if not folder.done:
                write_json(folder.failure, {"message": str(error)})
            raise
        folder.failure.unlink(missing_ok=True)


@dataclass(frozen=True)
class _Stage:
    """Runs a module of this package in a process of its own; what it prints is added to the run's `train.log`."""

    folder: RunFolder
    resources: Resources
    descriptors: tuple[int, ...]

    def __call__(self, name: str, module: str) -> None:
        command = [sys.executable, "-m", f"{__package__}.{module}", str(self.folder.path), str(self.resources.gpu_id)]
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
            message = f"{name} failed with exit code {code}: {_last_words(self.folder)}; see {self.folder.output}"
            raise ExperimentError(message)


def _last_words(folder: RunFolder) -> str:
    """The last line that names an error, or else the last one that was printed; clipped, for a message."""
    lines = folder.output.read_text(encoding="utf-8", errors="replace").splitlines()
    printed = [line.strip() for line in lines if line.strip()] or ["it printed nothing"]
    line = next((line for line in reversed(printed) if _ERROR.match(line)), printed[-1])
    return line if len(line) <= _CLIP else f"{line[: _CLIP - 1]}…"
