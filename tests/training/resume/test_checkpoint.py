import numpy as np
import pytest

from spacy_medflat.errors import CheckpointError
from spacy_medflat.training.resume.checkpoint import Checkpoint, CheckpointFolder, Evaluation


def test_a_folder_keeps_two_checkpoints_and_no_half_ones(tmp_path):
    folder = CheckpointFolder(tmp_path / "checkpoints")
    with pytest.raises(CheckpointError, match="no checkpoint to continue from"):
        folder.read_last()
    arrays = {"weights|a": np.zeros((0, 2), "f"), "weights|b": np.asarray(3), "random|c": np.ones(2, "uint8")}
    for step in (0, 10, 9):
        scores = {"f": np.float32(0.1), "per_type": {"病": {"f": None}}}
        evaluations = [Evaluation(0, 0.1 + 0.2, scores, {"ner": 1e-9})]
        folder.write(
            Checkpoint(step, evaluations, {"ner": 1 / 3}, 7, 8, "[a]\n", {"ner": ["病"]}, {"torch": "2"}, arrays)
        )
    (folder.path / "step-000000011.part").write_bytes(b"half")
    assert [path.stem for path in folder.files()] == ["step-000000010", "step-000000009"]
    read = folder.read_last()
    assert read.step == 10 and read.losses == {"ner": 1 / 3} and read.evaluations[0].score == 0.1 + 0.2
    assert read.evaluations[0].other_scores == {"f": float(np.float32(0.1)), "per_type": {"病": {"f": None}}}
    assert read.part("weights").keys() == {"a", "b"} and read.part("weights")["b"].shape == ()
    folder.remove()
    assert not folder.path.exists()


def test_scores_that_cannot_be_saved(tmp_path):
    evaluations = [Evaluation(0, 0.0, {"f": object()}, {})]
    with pytest.raises(TypeError, match="cannot save <object"):
        CheckpointFolder(tmp_path).write(Checkpoint(0, evaluations, {}, 0, 0, "", {}, {}))
