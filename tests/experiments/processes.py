"""Stages of a run inside the test's own process: starting Python and torch anew takes longer than they do."""

import traceback
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path

from spacy_medflat.experiments import runner
from spacy_medflat.experiments.folder import RunFolder
from spacy_medflat.experiments.stages import STAGES


class InProcess:
    """In place of `subprocess.Popen`, for the two commands that a run starts."""

    def __init__(self, command: list[str], *, stdout, **_):
        *_, stage, path, gpu_id = command
        assert gpu_id == "-1"
        self.code = 0
        printed = StringIO()
        with redirect_stdout(printed):
            try:
                STAGES[stage](RunFolder(Path(path)), int(gpu_id))
            except (Exception, SystemExit):
                self.code = 1
                traceback.print_exc(file=printed)
        stdout.write(printed.getvalue().encode())

    def wait(self) -> int:
        return self.code

    def terminate(self) -> None:
        pass


def stay_in_process(monkeypatch) -> None:
    """Let all runs of a test start no processes. Libraries may start some of their own."""
    start = runner.subprocess.Popen

    def start_or_stay(command, *args, **options):
        ours = command[1:3] == ["-m", "spacy_medflat.experiments.stages"]
        return InProcess(command, **options) if ours else start(command, *args, **options)

    monkeypatch.setattr(runner.subprocess, "Popen", start_or_stay)
