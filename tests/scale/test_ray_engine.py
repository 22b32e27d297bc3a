"""A Ray cluster of this machine. Ray is imported by the engine only, which sets up its environment first."""

import os
import signal
import sys
from importlib.util import find_spec

import pytest

from spacy_medflat.errors import MedflatError

from .archives import rows, run, write_lines
from .faults import BAD, PIDS, SECONDS


@pytest.mark.skipif(find_spec("ray") is None, reason="Ray is not installed")
def test_a_killed_actor_is_replaced_and_the_output_is_the_same(faulty, tmp_path, monkeypatch):
    archive = write_lines(tmp_path / "notes.jsonl", [*rows(20), {"text": BAD}, *rows(9)])
    whole = run(archive, tmp_path / "whole.jsonl", faulty)
    pids = tmp_path / "pids"
    pids.mkdir()
    monkeypatch.setenv(PIDS, str(pids))
    monkeypatch.setenv(SECONDS, "0.1")
    killed = []

    def kill(state):
        if not killed:
            killed.extend(int(path.name) for path in pids.iterdir())
            os.kill(killed[0], signal.SIGKILL)

    outcome = run(archive, tmp_path / "out.jsonl", faulty, n_process=2, engine="ray", progress=kill)
    assert killed and len(list(pids.iterdir())) > len(killed), "no actor came in the place of the killed one"
    assert outcome.summary == whole.summary
    assert (tmp_path / "out.jsonl").read_bytes() == (tmp_path / "whole.jsonl").read_bytes()
    assert (outcome.folder / "_errors.jsonl").read_bytes() == (whole.folder / "_errors.jsonl").read_bytes()
    assert not {"RAY_AUTH_TOKEN", "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"} & set(os.environ)


def test_without_ray_and_with_standard_input(ruler, tmp_path, monkeypatch):
    archive = write_lines(tmp_path / "notes.jsonl", rows(2))
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(MedflatError, match=r"needs ray: pip install 'spacy-medflat\[ray\]'"):
        run(archive, tmp_path / "out.jsonl", ruler, engine="ray")
    monkeypatch.undo()
    with pytest.raises(MedflatError, match="cannot read standard input"):
        run("-", tmp_path / "piped.jsonl", ruler, engine="ray")
