from pathlib import Path

import pytest
import spacy.cli
import torch
from typer.testing import CliRunner

from spacy_medflat.cli import medflat_cli
from spacy_medflat.training.resume.checkpoint import CheckpointFolder

from ..pipelines import cnn_pipeline, write_recipe
from ..training.runs import assert_equal_weights, one_thread, saved_weights, write_config

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module", autouse=True)
def single_thread():
    with one_thread():
        yield


@pytest.fixture(scope="module")
def config(tmp_path_factory):
    return write_config(tmp_path_factory.mktemp("config"), cnn_pipeline())


def run(*arguments):
    return CliRunner().invoke(medflat_cli, ["train", *map(str, arguments)], env={"COLUMNS": "200"})


def interrupted(monkeypatch, config, output, *arguments):
    """Train until the second checkpoint."""
    written = CheckpointFolder.write

    def write(folder, checkpoint):
        written(folder, checkpoint)
        if checkpoint.step:
            raise RuntimeError("interrupted")

    with monkeypatch.context() as patch:
        patch.setattr(CheckpointFolder, "write", write)
        assert isinstance(run(config, "-o", output, *arguments).exception, RuntimeError)


def test_train_interrupted_refused_resumed(config, tmp_path, monkeypatch):
    whole = run(config, "-o", tmp_path / "whole", "--training.max_steps", "8")
    assert whole.exit_code == 0, whole.output
    assert "Saved pipeline to output directory" in whole.output and "LOSS MEDFL" in whole.output
    output = tmp_path / "out"
    interrupted(monkeypatch, config, output, "--training.max_steps", "8", "--checkpoint-every", "3")
    steps = [path.stem[-2:] for path in CheckpointFolder(output / "checkpoints").files()]
    assert steps == ["03", "00"]
    refused = run(config, "-o", output, "--training.max_steps", "8")
    assert refused.exit_code == 1 and "--resume continues it, --force starts anew" in refused.output
    changed = run(config, "-o", output, "--resume")
    assert changed.exit_code == 1 and "training.max_steps: 8, now 12" in changed.output
    assert "Traceback" not in changed.output
    resumed = run(config, "-o", output, "--resume", "--training.max_steps", "8")
    assert resumed.exit_code == 0, resumed.output
    assert "Continuing after step 3" in resumed.output
    assert not (output / "checkpoints").exists()
    for name in ("model-best", "model-last"):
        assert_equal_weights(saved_weights(output / name), saved_weights(tmp_path / "whole" / name))


def test_force_starts_anew(config, tmp_path, monkeypatch):
    interrupted(monkeypatch, config, tmp_path)
    forced = run(config, "-o", tmp_path, "--force", "--training.max_steps", "2")
    assert forced.exit_code == 0 and "Continuing" not in forced.output
    assert not (tmp_path / "checkpoints").exists()


def test_bad_options(config, tmp_path):
    nothing = run(config, "-o", tmp_path, "--resume")
    assert nothing.exit_code == 1 and "no checkpoint to continue from" in nothing.output
    both = run(config, "-o", tmp_path, "--resume", "--force")
    assert both.exit_code == 1 and "give one of them" in both.output
    assert run(tmp_path / "none.cfg", "-o", tmp_path).exit_code == 2
    assert run(config).exit_code == 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["encoder_only.cfg", "--paths.encoder", "nowhere"], "cannot load the encoder 'nowhere'"),
        (["flat_words.cfg"], "FLAT needs word vectors"),
        (["encoder_only.cfg", "--gpu-id", "0"], "GPU 0 cannot be used"),
    ],
)
def test_what_is_not_there_is_one_line(tmp_path, monkeypatch, arguments, message):
    if "--gpu-id" in arguments and torch.cuda.is_available():
        pytest.skip("there is a GPU")
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    encoder = write_recipe(tmp_path / "encoder")
    corpus = [f"--paths.{name}={ROOT / 'assets' / 'corpus' / f'{name}.json'}" for name in ("train", "dev")]
    config, *rest = arguments
    found = run(ROOT / "configs" / config, "-o", tmp_path / "out", f"--paths.encoder={encoder}", *corpus, *rest)
    assert found.exit_code == 1 and found.output.count("Error:") == 1 and message in found.output
    assert "Traceback" not in found.output


def test_the_command_is_spacys(config, tmp_path):
    command = ["medflat", "train", config, "--output", tmp_path, "--training.max_steps", "1"]
    done = CliRunner().invoke(spacy.cli.app, list(map(str, command)))
    assert done.exit_code == 0, done.output
    assert (tmp_path / "model-last" / "config.cfg").exists()
