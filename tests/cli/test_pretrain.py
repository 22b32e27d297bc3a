import pytest

from spacy_medflat.cli.pretrain import pretrain

from ..encoder.pretraining.corpora import small_recipe, write_texts
from .apps import run

STEPS = ("--batch", 4, "--length", 24, "--steps", 6, "--evaluations", 2, "--full-precision")


@pytest.fixture
def given(tmp_path):
    return write_texts(tmp_path / "notes.txt"), "-e", small_recipe(tmp_path / "recipe"), "-o", tmp_path / "out"


def test_texts_in_an_encoder_out(given, tmp_path):
    with (tmp_path / "notes.txt").open("ab") as file:
        file.write(b"\n1\n1\n" + "咳嗽".encode("gbk"))
    result = run(pretrain, *given, *STEPS, "--report-every", 0)
    assert result.exit_code == 0 and result.stdout.split() == ["The", "encoder", "is", "in", str(given[-1])]
    lines = result.stderr.splitlines()
    assert any("positions from 24 to 79" in line for line in lines)
    assert any(line.endswith("left out 1 text read before") for line in lines)
    assert any(line.endswith("left out 1 text not in the encoding of their file") for line in lines)
    assert [line.split(":")[0] for line in lines if "held-out" in line] == ["step 0", "step 3", "step 6"]
    assert any(line.startswith("step 2 of 6: loss ") and "characters a second, 0:00:0" in line for line in lines)
    assert (given[-1] / "model.safetensors").exists()


def test_stopped_and_continued(given):
    result = run(pretrain, *given, *STEPS, "--minutes", 0)
    assert result.exit_code == 0 and "Stopped after 0 of 6 steps; the same command with --resume" in result.stdout
    assert run(pretrain, *given, *STEPS, "--resume").exit_code == 0
    result = run(pretrain, *given, *STEPS, "--resume")
    assert result.exit_code == 0 and "All 6 steps were done before" in result.stderr


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--mask-share", "1.5"], "Error: --mask-share: "),
        (["--weight", "x=2"], "Error: --weight x: "),
        (["--lexicon", "none.txt"], "Error: none.txt: no such file"),
        (["--vectors", "none.txt"], "Error: none.txt: no such file"),
        (["--gpu-id", "77"], "Error: GPU 77 cannot be used: "),
        (["--encoding", "klingon"], "Error: unknown encoding"),
        (["--resume"], "no checkpoint to continue from"),
    ],
)
def test_one_line_of_error(given, options, message):
    result = run(pretrain, *given, *STEPS, *options)
    assert result.exit_code == 1 and message in result.stderr and result.stderr.count("\n") == 1
    assert not given[-1].exists()


def test_a_full_disk_is_one_line(given, monkeypatch):
    def full(*args):
        raise OSError(28, "No space left on device", "out/model.safetensors")

    monkeypatch.setattr("spacy_medflat.encoder.pretraining.training_run.write_encoder", full)
    result = run(pretrain, *given, *STEPS)
    assert result.exit_code == 1
    assert result.stderr.splitlines()[-1] == "Error: out/model.safetensors: No space left on device"
    monkeypatch.undo()
    assert run(pretrain, *given, *STEPS, "--resume").exit_code == 0
