import numpy as np
import pytest

from spacy_medflat.checkpoints import StateFolder, read_state, write_state
from spacy_medflat.errors import CheckpointError, DamagedCheckpointError

ARRAYS = {"a": np.arange(6, dtype="f").reshape(2, 3).T, "b": np.asarray(3), "c": np.zeros((0, 2), "uint8")}


def test_a_round_trip(tmp_path):
    write_state(tmp_path / "x", {"病": [1, None]}, ARRAYS)
    state, arrays = read_state(tmp_path / "x")
    assert state == {"病": [1, None]} and arrays.keys() == ARRAYS.keys()
    assert all(
        np.array_equal(arrays[name], array) and arrays[name].shape == array.shape for name, array in ARRAYS.items()
    )


def test_every_damaged_byte_is_noticed(tmp_path):
    write_state(tmp_path / "x", {"step": 1}, ARRAYS)
    data = (tmp_path / "x").read_bytes()
    for place in range(8, len(data), 7):
        (tmp_path / "x").write_bytes(data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :])
        try:
            state, arrays = read_state(tmp_path / "x")
        except DamagedCheckpointError:
            continue
        # A name of a field in the header may be another one, but nothing that is used is.
        assert state == {"step": 1} and all(np.array_equal(arrays[name], array) for name, array in ARRAYS.items())
    (tmp_path / "x").write_bytes(data[:-1])
    with pytest.raises(DamagedCheckpointError):
        read_state(tmp_path / "x")


def test_a_path_that_cannot_be_written(tmp_path):
    with pytest.raises(OSError, match="cannot be written"):
        write_state(tmp_path / "none" / "x", {}, ARRAYS)


def test_two_states_stay_and_damaged_ones_go(tmp_path):
    folder = StateFolder(tmp_path / "states")
    with pytest.raises(CheckpointError, match="no checkpoint to continue from"):
        folder.read_last()
    for step in (1, 2, 3):
        folder.add(step, lambda path, step=step: write_state(path, {"step": step}, ARRAYS))
    newest, other = folder.files()
    newest.write_bytes(b"x")
    assert folder.read_last()[0] == {"step": 2} and not newest.exists()
    other.write_bytes(b"")
    with pytest.raises(CheckpointError, match="all 1 checkpoints are damaged"):
        folder.read_last()
    folder.remove()
    assert not folder.path.exists()
