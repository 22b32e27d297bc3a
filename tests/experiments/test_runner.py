import json
import os
import threading
from dataclasses import replace

import pytest

from spacy_medflat.errors import ExperimentError
from spacy_medflat.experiments import runner, stages
from spacy_medflat.experiments.folder import RunFolder, prepare, read_log
from spacy_medflat.experiments.matrix import Row, read_matrix
from spacy_medflat.experiments.predictions import read_predictions
from spacy_medflat.experiments.runner import Resources, Run, execute, run_all, run_stage, runs_of
from spacy_medflat.files import locked
from spacy_medflat.training.resume.checkpoint import CheckpointFolder

from ..training.runs import one_thread
from .helpers import write_matrix
from .processes import InProcess, stay_in_process


def make_row(name, seeds, missing=""):
    return Row(name, name.upper(), None, {}, (), seeds, 0, "a", missing)


ROWS = [make_row("a", (0, 1)), make_row("b", (5,)), make_row("c", (0,), "needs a GPU")]


def test_first_seeds_come_first_and_rows_that_cannot_run_do_not(tmp_path):
    runs = runs_of(ROWS, tmp_path)
    assert [run.name for run in runs] == ["a, seed 0", "b, seed 5", "a, seed 1"]
    assert runs[1].folder.path == tmp_path / "b" / "seed-5"


@pytest.mark.parametrize("jobs", [1, 2])
def test_one_that_fails_does_not_stop_the_others(tmp_path, monkeypatch, jobs):
    asked = []

    def execute(run, resources):
        asked.append((run.row.name, run.seed, resources.threads, resources.gpu_id))
        if run.row.name == "b":
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
    assert run_all(runs_of([make_row("a", (0, 1))], tmp_path), jobs=2, report=lambda *_: None) == []


ONE = Resources(1)


@pytest.fixture(scope="module", autouse=True)
def single_thread():
    with one_thread():
        yield


@pytest.fixture(scope="module")
def row(tmp_path_factory):
    path = write_matrix(tmp_path_factory.mktemp("matrix"), [{"name": "plain"}])
    return read_matrix(path, {}, has_gpu=False).rows[0]


def test_a_run_in_a_process_of_its_own(row, tmp_path, monkeypatch):
    start = runner.subprocess.Popen
    monkeypatch.setattr(
        runner.subprocess,
        "Popen",
        lambda command, **given: (start if "train" in command else InProcess)(command, **given),
    )
    folder = RunFolder.of(tmp_path, "plain", 0)
    execute(Run(row, 0, folder), ONE)
    names = {path.name for path in folder.path.iterdir()} - {"lock", "stage.lock"}
    files = {"row.json", "config.cfg", "train.log", "log.jsonl", "environment.json", "predictions.jsonl", "scores.json"}
    assert names == {*files, "training"} and folder.done
    assert {path.name for path in folder.training.iterdir()} == {"model-best", "model-last"}
    environment = json.loads(folder.environment.read_text(encoding="utf8"))
    assert environment["threads"] == 1 and environment["steps"] == 2 and environment["seed"] == 0
    scores = json.loads(folder.scores.read_text(encoding="utf8"))
    assert scores["texts"] == len(read_predictions(folder.predictions)) == 8 and 0 <= scores["f"] <= 1
    logged = [json.loads(line) for line in folder.log.read_text(encoding="utf8").splitlines()]
    assert [line["step"] for line in logged] == [0, 1, 2]
    assert scores["f"] == pytest.approx(max(line["score"] for line in logged))


def test_a_process_is_told_its_threads_and_its_last_words_are_kept(tmp_path, monkeypatch):
    told = {}

    class Process(InProcess):
        def __init__(self, command, *, env, **options):
            told.update(env)
            super().__init__(command, **options)

    monkeypatch.setattr(runner.subprocess, "Popen", Process)
    with pytest.raises(ExperimentError, match=r"scoring failed with exit code 1: .*row\.json.*; see .*train\.log"):
        run_stage("score", "scoring", RunFolder(tmp_path), Resources(3))
    assert (told["OMP_NUM_THREADS"], told["OMP_WAIT_POLICY"]) == ("3", "PASSIVE")
    assert os.environ.get("OMP_WAIT_POLICY") != "PASSIVE"


def interrupt(monkeypatch, folder, row):
    """Execute a run that fails after its second step."""
    written = CheckpointFolder.write

    def write(checkpoints, checkpoint):
        written(checkpoints, checkpoint)
        if checkpoint.step == 1:
            raise RuntimeError("interrupted")

    with monkeypatch.context() as patch, pytest.raises(ExperimentError, match="training failed"):
        patch.setattr(CheckpointFolder, "write", write)
        execute(Run(row, 0, folder), ONE)


def test_an_interrupted_training_goes_on(row, tmp_path, monkeypatch):
    stay_in_process(monkeypatch)
    folder = RunFolder.of(tmp_path, "plain", 0)
    interrupt(monkeypatch, folder, row)
    failure = json.loads(folder.failure.read_text(encoding="utf8"))
    assert "interrupted" in failure["message"] and not folder.environment.exists()
    execute(Run(row, 0, folder), ONE)
    assert folder.done and not folder.failure.exists()
    assert "Continuing after step 1" in folder.output.read_text(encoding="utf8")


def test_an_interrupted_training_that_was_moved_goes_on_in_its_new_folder(row, tmp_path, monkeypatch):
    stay_in_process(monkeypatch)
    old, new = (RunFolder.of(tmp_path / name, "plain", 0) for name in ("old", "new"))
    interrupt(monkeypatch, old, row)
    (tmp_path / "old").rename(tmp_path / "new")
    execute(Run(row, 0, new), ONE)
    assert new.done and not (tmp_path / "old").exists()
    assert read_log(new.log).steps == [0, 1, 2]


def test_what_is_trained_is_only_scored_and_what_is_done_is_let_alone(row, tmp_path, monkeypatch):
    stay_in_process(monkeypatch)
    folder = RunFolder.of(tmp_path, "plain", 0)
    execute(Run(row, 0, folder), ONE)
    scores = folder.scores.read_bytes()
    folder.scores.unlink()
    monkeypatch.setattr(stages, "train", lambda *_, **__: pytest.fail("trained again"))
    execute(Run(row, 0, folder), ONE)
    assert folder.scores.read_bytes() == scores
    monkeypatch.setattr(runner, "run_stage", lambda *_: pytest.fail("scored again"))
    execute(Run(row, 0, folder), ONE)
    changed = replace(row, overrides={**row.overrides, "training.max_steps": 3})
    with pytest.raises(ExperimentError, match=r"training\.max_steps: 2, now 3"):
        execute(Run(changed, 0, folder), ONE)
    assert folder.scores.read_bytes() == scores and not folder.failure.exists()


def test_a_training_that_outlived_its_parent_is_not_repeated(row, tmp_path, monkeypatch):
    stay_in_process(monkeypatch)
    folder = RunFolder.of(tmp_path, "plain", 0)
    prepare(folder, row, 0)
    stages.train_run(folder)
    monkeypatch.setattr(stages, "train", lambda *_, **__: pytest.fail("trained again"))
    execute(Run(row, 0, folder), ONE)
    assert folder.done


def test_two_do_not_work_in_one_folder(row, tmp_path):
    folder = RunFolder.of(tmp_path, "plain", 0)
    folder.path.mkdir(parents=True)
    with locked(folder.path / "lock"), pytest.raises(ValueError, match="another process is at work"):
        execute(Run(row, 0, folder), ONE)
    assert [path.name for path in folder.path.iterdir()] == ["lock"]


def test_a_stage_that_outlived_its_parent_keeps_others_out(row, tmp_path):
    folder = RunFolder.of(tmp_path, "plain", 0)
    folder.path.mkdir(parents=True)
    with locked(folder.stage_lock), pytest.raises(ValueError, match="another process is at work"):
        execute(Run(row, 0, folder), ONE)
    assert not folder.row.exists()
