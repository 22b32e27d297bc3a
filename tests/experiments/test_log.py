import json

import pytest

from spacy_medflat.experiments.log import read_log
from spacy_medflat.experiments.matrix import ExperimentError


def write(path, *rows):
    lines = (json.dumps(dict(zip(("started", "step", "score", "seconds"), row, strict=True))) for row in rows)
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf8")
    return path


def test_evaluations_and_time(tmp_path):
    found = read_log(write(tmp_path / "l", (1e9, 0, 0.1, 3), (1e9, 5, 0.2, 10), (1e9, 10, 0.3, 17)))
    assert (found.steps, found.scores, found.seconds) == ([0, 5, 10], [0.1, 0.2, 0.3], 17)


def test_an_interrupted_training_counts_all_its_time_and_its_last_word(tmp_path):
    found = read_log(write(tmp_path / "l", (1, 0, 0.1, 3), (1, 5, 0.2, 10), (70, 5, 0.25, 8), (90, 10, 0.3, 15)))
    assert (found.steps, found.scores, found.seconds) == ([0, 5, 10], [0.1, 0.25, 0.3], 33)


def test_bad_logs(tmp_path):
    with pytest.raises(ExperimentError, match="there is no log"):
        read_log(tmp_path / "l")
    (tmp_path / "l").write_text('{"step": 0}\n', encoding="utf8")
    with pytest.raises(ExperimentError, match=r"l line 1: no line of a training log"):
        read_log(tmp_path / "l")
