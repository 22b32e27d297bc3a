import json
import threading

import pytest

from spacy_medflat.experiments import runner
from spacy_medflat.experiments.matrix import ExperimentError, Matrix, Row
from spacy_medflat.experiments.runner import run_all, runs_of, write_index


def row(name, seeds, missing=""):
    return Row(name, name.upper(), None, {}, (), seeds, 0, "a", missing)


ROWS = [row("a", (0, 1)), row("b", (5,)), row("c", (0,), "needs a GPU")]


def test_first_seeds_come_first_and_rows_that_cannot_run_do_not(tmp_path):
    runs = runs_of(ROWS, tmp_path)
    assert [run.name for run in runs] == ["a, seed 0", "b, seed 5", "a, seed 1"]
    assert runs[1].folder.path == tmp_path / "b" / "seed-5"


@pytest.mark.parametrize("jobs", [1, 2])
def test_one_that_fails_does_not_stop_the_others(tmp_path, monkeypatch, jobs):
    asked = []

    def execute(folder, row, seed, resources):
        asked.append((row.name, seed, resources.threads, resources.gpu_id))
        if row.name == "b":
            raise ExperimentError("no such file")

    monkeypatch.setattr(runner, "execute", execute)
    monkeypatch.setattr(runner, "usable_cpus", lambda: 5)
    said = []
    runs = runs_of(ROWS, tmp_path)
    failed = run_all(runs, jobs=jobs, gpu_id=1, report=lambda run, what: said.append((run.name, what)))
    assert sorted(asked) == [("a", 0, 5 // jobs, 1), ("a", 1, 5 // jobs, 1), ("b", 5, 5 // jobs, 1)]
    assert [(run.name, str(error)) for run, error in failed] == [("b, seed 5", "no such file")]
    assert ("b, seed 5", "failed: no such file") in said and ("a, seed 1", "done") in said


def test_so_many_at_once(tmp_path, monkeypatch):
    together = threading.Barrier(2, timeout=20)
    monkeypatch.setattr(runner, "execute", lambda *_: together.wait())
    assert run_all(runs_of([row("a", (0, 1))], tmp_path), jobs=2, report=lambda *_: None) == []


def test_the_index(tmp_path):
    write_index(Matrix(tmp_path / "m.yml", "a", ROWS, ["train"]), tmp_path / "out")
    index = json.loads((tmp_path / "out" / "experiments.json").read_text(encoding="utf8"))
    assert index["matrix"] == "m.yml" and index["baseline"] == "a" and index["variables"] == ["train"]
    assert [(r["name"], r["seeds"], r["missing"]) for r in index["rows"]][2] == ("c", [0], "needs a GPU")
