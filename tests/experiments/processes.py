"""Stages of a run inside the test's own process: starting Python and torch anew takes longer than they do."""

from __future__ import annotations

import traceback
from contextlib import redirect_stdout
from importlib import import_module
from io import StringIO
from pathlib import Path

from spacy_medflat.experiments import run
from spacy_medflat.experiments.folder import RunFolder

STAGES = {"spacy_medflat.experiments.train": "train_run", "spacy_medflat.experiments.predict": "score_run"}


class InProcess:
    """In place of `subprocess.Popen`, for the two commands that a run starts."""

    def __init__(self, command: list[str], *, stdout, **_):
        _, dash, module, path, gpu_id = command
        assert (dash, gpu_id) == ("-m", "-1")
        self.code = 0
        printed = StringIO()
        with redirect_stdout(printed):
            try:
                getattr(import_module(module), STAGES[module])(RunFolder(Path(path)))
            except (Exception, SystemExit):
                self.code = 1
                traceback.print_exc(file=printed)
        stdout.write(printed.getvalue().encode())

    def wait(self) -> int:
        return self.code

    def terminate(self) -> None:
        pass


def stay_in_process(monkeypatch) -> None:
    """Let all runs of a test start no processes."""
    monkeypatch.setattr(run.subprocess, "Popen", InProcess)
