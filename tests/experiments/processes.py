"""Stages of a run inside the test's own process: starting Python and torch anew takes longer than they do."""

from __future__ import annotations

from pathlib import Path

from typer.testing import CliRunner

from spacy_medflat.cli import medflat_cli
from spacy_medflat.experiments import run
from spacy_medflat.experiments.folder import RunFolder
from spacy_medflat.experiments.predict import score_run


class InProcess:
    """In place of `subprocess.Popen`, for the two commands that a run starts."""

    def __init__(self, command: list[str], *, stdout, **_):
        if command[1:5] == ["-m", "spacy", "medflat", "train"]:
            result = CliRunner().invoke(medflat_cli, command[4:])
            words = f"{result.output}\n{'' if result.exception is None else repr(result.exception)}\n"
            self.code = result.exit_code
        else:
            assert command[1:3] == ["-m", "spacy_medflat.experiments.predict"]
            score_run(RunFolder(Path(command[3])))
            words, self.code = "scored\n", 0
        stdout.write(words.encode())

    def wait(self) -> int:
        return self.code

    def terminate(self) -> None:
        pass


def stay_in_process(monkeypatch) -> None:
    """Let all runs of a test start no processes."""
    monkeypatch.setattr(run.subprocess, "Popen", InProcess)
