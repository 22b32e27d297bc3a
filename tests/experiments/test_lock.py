import subprocess
import sys

import pytest

from spacy_medflat.experiments.lock import locked
from spacy_medflat.experiments.matrix import ExperimentError

pytest.importorskip("fcntl")


def test_one_at_a_time(tmp_path):
    refused = pytest.raises(ExperimentError, match="another process is at work in")
    with locked(tmp_path / "lock"), refused, locked(tmp_path / "lock"):
        pass
    with locked(tmp_path / "lock"):
        pass


def test_a_child_that_outlives_its_parent_keeps_others_out(tmp_path):
    with locked(tmp_path / "lock") as descriptors:
        child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, pass_fds=descriptors)
    with pytest.raises(ExperimentError), locked(tmp_path / "lock"):
        pass
    child.communicate(b"\n")
    with locked(tmp_path / "lock"):
        pass
