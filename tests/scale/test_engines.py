"""Several processes, killed and resumed; a real command, killed as a user's would be."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from spacy_medflat.errors import MedflatError
from spacy_medflat.scale import engines

from ..pipelines import cnn_pipeline, train
from . import faults
from .archives import rows, run, write_lines
from .faults import PIDS, SECONDS

PATIENCE = 120

pytestmark = pytest.mark.usefixtures("fast")


def wait_for(condition):
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)


def alive(process_id):
    try:
        os.kill(process_id, 0)
    except ProcessLookupError:
        return False
    # An orphan that nobody waits for stays as a zombie.
    return Path(f"/proc/{process_id}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks for processes in /proc")
def test_killed_and_resumed_is_byte_for_byte_the_same(faulty, tmp_path):
    archive = write_lines(tmp_path / "notes.jsonl", [*rows(30), "{broken", *rows(9)])
    whole = run(archive, tmp_path / "whole.jsonl", faulty)
    output, folder, pids = tmp_path / "out.jsonl", tmp_path / "out.jsonl.run", tmp_path / "pids"
    pids.mkdir()
    command = [sys.executable, "-m", "spacy", "medflat", "annotate", archive, "-o", output, "--model", faulty]
    process = subprocess.Popen(
        [*command, "--code", faults.__file__, "--buffer", "3", "--n-process", "2"],
        env={**os.environ, "OMP_NUM_THREADS": "1", SECONDS: "0.1", PIDS: str(pids)},
        stderr=subprocess.PIPE,
    )
    try:
        wait_for(lambda: process.poll() is not None or len(list(folder.glob("_receipts/0*"))) >= 3)
        assert process.poll() is None, process.stderr.read().decode()
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
        process.stderr.close()
    workers = [int(path.name) for path in pids.iterdir()]
    assert 1 <= len(workers) <= 2 and process.pid not in workers
    wait_for(lambda: not any(map(alive, workers)))
    assert not output.exists()
    outcome = run(archive, output, faulty)
    assert 0 < outcome.resumed < 39
    assert output.read_bytes() == (tmp_path / "whole.jsonl").read_bytes()
    assert (folder / "_errors.jsonl").read_bytes() == (whole.folder / "_errors.jsonl").read_bytes()


def test_processes_share_the_cpus_and_one_that_dies_ends_the_run(tmp_path, monkeypatch):
    nlp = cnn_pipeline()
    train(nlp, 1)
    nlp.add_pipe("medflat_faults", first=True)
    nlp.to_disk(tmp_path / "model")
    archive = write_lines(tmp_path / "notes.jsonl", rows(60))
    pids = tmp_path / "pids"
    pids.mkdir()
    monkeypatch.setenv(PIDS, str(pids))
    monkeypatch.setenv(SECONDS, "0.05")
    monkeypatch.setattr(engines, "usable_cpus", lambda: 4)
    killed = []

    def kill(state):
        if not killed and state.documents >= 9:
            killed.extend(int(path.name) for path in pids.iterdir())
            os.kill(killed[0], signal.SIGKILL)

    with pytest.raises(MedflatError, match="a process died, perhaps because memory ran out: try a smaller --n-process"):
        run(archive, tmp_path / "out.jsonl", tmp_path / "model", n_process=2, progress=kill)
    # Before their first part and after others.
    threads = [path.read_text().split() for path in pids.iterdir()]
    assert max(map(len, threads)) > 3 and {count for counts in threads for count in counts} == {"2"}
    monkeypatch.setenv(SECONDS, "0")
    assert 9 <= run(archive, tmp_path / "out.jsonl", tmp_path / "model").resumed < 60
