import json
import os
from dataclasses import replace

import pytest

from spacy_medflat.experiments import run as module
from spacy_medflat.experiments import train as train_module
from spacy_medflat.experiments.folder import RunFolder, prepare
from spacy_medflat.experiments.lock import locked
from spacy_medflat.experiments.log import read_log
from spacy_medflat.experiments.matrix import ExperimentError, read_matrix
from spacy_medflat.experiments.predictions import read_predictions
from spacy_medflat.experiments.run import Resources, execute
from spacy_medflat.training.checkpoint import CheckpointFolder
from tests.training.runs import one_thread

from .helpers import write_matrix
from .processes import InProcess, stay_in_process

ONE = Resources(1)


@pytest.fixture(scope="module", autouse=True)
def single_thread():
    with one_thread():
        yield


@pytest.fixture(scope="module")
def row(tmp_path_factory):
    path = write_matrix(tmp_path_factory.mktemp("matrix"), [{"name": "plain"}])
    return read_matrix(path, {}, has_gpu=False).rows[0]


def test_a_run_in_processes_of_its_own(row, tmp_path):
    folder = RunFolder.of(tmp_path, "plain", 0)
    execute(folder, row, 0, ONE)
    names = {path.name for path in folder.path.iterdir()} - {"lock"}
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

    monkeypatch.setattr(module.subprocess, "Popen", Process)
    with pytest.raises(ExperimentError, match=r"scoring failed with exit code 1: .*config\.cfg.*; see .*train\.log"):
        module._Stage(RunFolder(tmp_path), Resources(3), ())("scoring", "predict")
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
        execute(folder, row, 0, ONE)


def test_an_interrupted_training_goes_on(row, tmp_path, monkeypatch):
    stay_in_process(monkeypatch)
    folder = RunFolder.of(tmp_path, "plain", 0)
    interrupt(monkeypatch, folder, row)
    failure = json.loads(folder.failure.read_text(encoding="utf8"))
    assert "interrupted" in failure["message"] and not folder.environment.exists()
    execute(folder, row, 0, ONE)
    assert folder.done and not folder.failure.exists()
    assert "Continuing after step 1" in folder.output.read_text(encoding="utf8")


def test_an_interrupted_training_that_was_moved_goes_on_in_its_new_folder(row, tmp_path, monkeypatch):
    stay_in_process(monkeypatch)
    old, new = (RunFolder.of(tmp_path / name, "plain", 0) for name in ("old", "new"))
    interrupt(monkeypatch, old, row)
    (tmp_path / "old").rename(tmp_path / "new")
    execute(new, row, 0, ONE)
    assert new.done and not (tmp_path / "old").exists()
    assert read_log(new.log).steps == [0, 1, 2]


def test_what_is_trained_is_only_scored_and_what_is_done_is_let_alone(row, tmp_path, monkeypatch):
    stay_in_process(monkeypatch)
    folder = RunFolder.of(tmp_path, "plain", 0)
    execute(folder, row, 0, ONE)
    scores = folder.scores.read_bytes()
    folder.scores.unlink()
    monkeypatch.setattr(train_module, "train", lambda *_, **__: pytest.fail("trained again"))
    execute(folder, row, 0, ONE)
    assert folder.scores.read_bytes() == scores
    monkeypatch.setattr(module._Stage, "__call__", lambda *_: pytest.fail("scored again"))
    execute(folder, row, 0, ONE)
    changed = replace(row, overrides={**row.overrides, "training.max_steps": 3})
    with pytest.raises(ExperimentError, match=r"training\.max_steps: 2, now 3"):
        execute(folder, changed, 0, ONE)
    assert folder.scores.read_bytes() == scores and not folder.failure.exists()


def test_a_training_that_outlived_its_parent_is_not_repeated(row, tmp_path, monkeypatch):
    stay_in_process(monkeypatch)
    folder = RunFolder.of(tmp_path, "plain", 0)
    prepare(folder, row, 0)
    train_module.train_run(folder)
    monkeypatch.setattr(train_module, "train", lambda *_, **__: pytest.fail("trained again"))
    execute(folder, row, 0, ONE)
    assert folder.done


def test_two_do_not_work_in_one_folder(row, tmp_path):
    folder = RunFolder.of(tmp_path, "plain", 0)
    folder.path.mkdir(parents=True)
    with locked(folder.path / "lock"), pytest.raises(ExperimentError, match="another process is at work"):
        execute(folder, row, 0, ONE)
    assert [path.name for path in folder.path.iterdir()] == ["lock"]
