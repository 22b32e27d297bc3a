import gc
import io
import json
import os
import random
import signal
import subprocess
import sys
import weakref
from contextlib import redirect_stdout

import pytest
from spacy.cli.train import train as spacy_train
from spacy.language import Language
from thinc.api import Config

from spacy_medflat.errors import CheckpointError
from spacy_medflat.training.resume.checkpoint import CheckpointFolder, read_checkpoint
from spacy_medflat.training.resume.loop import train

from ...pipelines import cnn_pipeline
from ..runs import assert_equal_weights, initialized, saved_weights, transformer_config, write_config


def performance(folder):
    """The scores and losses of a saved pipeline."""
    return json.loads((folder / "meta.json").read_text("utf8"))["performance"]


def run(config, output, **settings):
    nlp = initialized(config)
    with redirect_stdout(io.StringIO()) as printed:
        train(nlp, output, **settings)
    return nlp, printed.getvalue()


class KilledError(Exception):
    pass


def killed_at(monkeypatch, config, output, step, **settings):
    """A run that ends at a step like a killed one: nothing is saved afterwards."""
    written = CheckpointFolder.write

    def write(folder, checkpoint):
        written(folder, checkpoint)
        if checkpoint.step >= step:
            raise KilledError

    with monkeypatch.context() as patch:
        patch.setattr(CheckpointFolder, "write", write)
        with pytest.raises(KilledError):
            run(config, output, **settings)


@pytest.fixture(scope="module")
def config(tmp_path_factory):
    return transformer_config(tmp_path_factory.mktemp("config"))


@pytest.fixture(scope="module")
def whole(config, tmp_path_factory):
    """The output of a training that nothing interrupted."""
    output = tmp_path_factory.mktemp("whole")
    run(config, output)
    return output


KILL = """
import os, signal, sys
from pathlib import Path
from spacy_medflat.training.resume.loop import train
from tests.training.runs import initialized

nlp = initialized(Path(sys.argv[1]))
update, seen = nlp.update, []
def dying(*args, **kwargs):
    seen.append(1)
    if len(seen) == 9:
        os.kill(os.getpid(), signal.SIGKILL)
    return update(*args, **kwargs)
nlp.update = dying
train(nlp, Path(sys.argv[2]))
"""


def test_killed_and_resumed_equals_uninterrupted(config, whole, tmp_path):
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    killed = subprocess.run([sys.executable, "-c", KILL, config, tmp_path], env=environment, capture_output=True)
    assert killed.returncode == -signal.SIGKILL
    assert [path.stem for path in CheckpointFolder(tmp_path / "checkpoints").files()] == [
        "step-000000005",
        "step-000000000",
    ]
    _, printed = run(config, tmp_path, resume=True)
    assert "Continuing after step 5" in printed
    for name in ("model-last", "model-best"):
        assert_equal_weights(saved_weights(tmp_path / name), saved_weights(whole / name))
        assert performance(tmp_path / name) == performance(whole / name)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["model-best", "model-last"]


def test_equals_spacy_train(config, whole, tmp_path):
    spacy_train(config, tmp_path)
    assert_equal_weights(saved_weights(tmp_path / "model-last"), saved_weights(whole / "model-last"))
    assert_equal_weights(saved_weights(tmp_path / "model-best"), saved_weights(whole / "model-best"))


def test_same_seed_same_weights_another_seed_others(config, whole, tmp_path):
    run(config, tmp_path / "again")
    assert_equal_weights(saved_weights(tmp_path / "again" / "model-last"), saved_weights(whole / "model-last"))
    other = transformer_config(tmp_path / "other", seed=1)
    run(other, tmp_path / "seeded")
    with pytest.raises(AssertionError):
        assert_equal_weights(saved_weights(tmp_path / "seeded" / "model-last"), saved_weights(whole / "model-last"))


@pytest.mark.parametrize(("name", "max_epochs"), [("Adam.v1", 0), ("RAdam.v1", -1)], ids=["shuffled", "streamed"])
def test_thincs_optimizers_own_steps_and_updates_that_draw(name, max_epochs, tmp_path, monkeypatch):
    """Killed between two evaluations; the updates draw from the generator that shuffles the data."""
    update = Language.update

    def drawing(*args, **settings):
        random.random()
        return update(*args, **settings)

    monkeypatch.setattr(Language, "update", drawing)
    batcher = {
        "@batchers": "spacy.batch_by_words.v1",
        "size": {"@schedules": "compounding.v1", "start": 10, "stop": 60, "compound": 1.2},
        "tolerance": 0.2,
    }
    settings = {"max_epochs": max_epochs, "accumulate_gradient": 2, "patience": 100, "batcher": batcher}
    config = write_config(tmp_path, cnn_pipeline(), optimizer={"@optimizers": name, "learn_rate": 0.01}, **settings)
    run(config, tmp_path / "whole")
    killed_at(monkeypatch, config, tmp_path / "killed", 7, checkpoint_every=7)
    run(config, tmp_path / "killed", resume=True, checkpoint_every=7)
    whole, resumed = tmp_path / "whole" / "model-last", tmp_path / "killed" / "model-last"
    assert_equal_weights(saved_weights(resumed), saved_weights(whole))
    assert performance(resumed) == performance(whole)


def test_an_adversarial_training_goes_on_with_its_steps(tmp_path, monkeypatch):
    attack = {"@misc": "spacy_medflat.RandomPerturbation.v1", "epsilon": 1.0}
    adversary = {"@callbacks": "spacy_medflat.adversarial_training.v1", "attack": attack, "start_step": 7, "share": 0.7}
    config = write_config(tmp_path, cnn_pipeline(), after_init=adversary)
    nlp, _ = run(config, tmp_path / "whole")
    killed_at(monkeypatch, config, tmp_path / "killed", 5)
    resumed, _ = run(config, tmp_path / "killed", resume=True)
    assert resumed.update.stats.attacked == nlp.update.stats.attacked > 0
    assert_equal_weights(
        saved_weights(tmp_path / "killed" / "model-last"), saved_weights(tmp_path / "whole" / "model-last")
    )


def test_a_damaged_checkpoint_falls_back(config, whole, tmp_path, monkeypatch, caplog):
    killed_at(monkeypatch, config, tmp_path, 5)
    newest, _ = CheckpointFolder(tmp_path / "checkpoints").files()
    data = bytearray(newest.read_bytes())
    data[len(data) // 2] ^= 1
    newest.write_bytes(data)
    monkeypatch.setattr("spacy.util.logger.propagate", True)
    _, printed = run(config, tmp_path, resume=True)
    assert "damaged checkpoint: its checksum does not match" in caplog.text and "Continuing after step 0" in printed
    assert_equal_weights(saved_weights(tmp_path / "model-last"), saved_weights(whole / "model-last"))
    (tmp_path / "checkpoints").mkdir()
    (tmp_path / "checkpoints" / newest.name).write_bytes(data[: len(data) // 2])
    with pytest.raises(CheckpointError, match="damaged"):
        CheckpointFolder(tmp_path / "checkpoints").read_last()


def test_a_run_that_differs_is_refused(config, tmp_path, monkeypatch):
    killed_at(monkeypatch, config, tmp_path / "out", 5)
    changed = Config().from_disk(config, interpolate=False)
    changed["training"]["dropout"] = 0.3
    changed.to_disk(tmp_path / "changed.cfg")
    with pytest.raises(CheckpointError, match=r"training\.dropout: 0\.2, now 0\.3"):
        run(tmp_path / "changed.cfg", tmp_path / "out", resume=True)
    checkpoint = read_checkpoint(CheckpointFolder(tmp_path / "out" / "checkpoints").files()[0])
    object.__setattr__(checkpoint, "texts", 1)
    before = sorted(path.stat().st_mtime_ns for path in (tmp_path / "out").rglob("*"))
    monkeypatch.setattr(CheckpointFolder, "read_last", lambda _: checkpoint)
    with pytest.raises(CheckpointError, match="training data has changed"):
        run(config, tmp_path / "out", resume=True)
    assert before == sorted(path.stat().st_mtime_ns for path in (tmp_path / "out").rglob("*"))
    object.__setattr__(checkpoint, "dev_texts", 1)
    with pytest.raises(CheckpointError, match="dev texts, or their annotations, are not those"):
        run(config, tmp_path / "out", resume=True)
    checkpoint.labels["medflat_ner"].reverse()
    with pytest.raises(CheckpointError, match="labels of 'medflat_ner'"):
        run(config, tmp_path / "out", resume=True)


def test_what_a_checkpoint_held_is_given_back_once_it_is_restored(config, tmp_path, monkeypatch):
    killed_at(monkeypatch, config, tmp_path, 5)
    held = []
    read = CheckpointFolder.read_last

    def watched(folder):
        checkpoint = read(folder)
        held.extend(map(weakref.ref, checkpoint.arrays.values()))
        return checkpoint

    def alive(*_):
        gc.collect()
        return sum(array().nbytes for array in held if array() is not None)

    seen = []
    monkeypatch.setattr(CheckpointFolder, "read_last", watched)
    monkeypatch.setattr(CheckpointFolder, "write", lambda *_: seen.append(alive()))
    run(config, tmp_path, resume=True)
    assert held and seen and max(seen) == 0
