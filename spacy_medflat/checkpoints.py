"""Files of a run's state: numbers and arrays with a checksum, one file each, whole or not at all, the last two kept."""

import json
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file
from spacy.util import logger

from .errors import CheckpointError, DamagedCheckpointError
from .files import replaced_when_done

Arrays = Mapping[str, np.ndarray]
State = tuple[dict[str, Any], dict[str, np.ndarray]]
StateT = TypeVar("StateT")
_KEPT = 2


def write_state(
    path: Path, state: Mapping[str, Any], arrays: Arrays, default: Callable[[Any], Any] | None = None
) -> None:
    """Write numbers and arrays as safetensors, with a CRC-32 of everything in it.

    path (Path): the file.
    state (mapping): what JSON can hold.
    arrays (mapping of arrays): by name.
    default (callable or None): makes JSON of what it cannot hold, see `json.dumps`.
    RAISES (OSError): it cannot be written.
    """
    whole = {name: np.require(array, requirements="C") for name, array in arrays.items()}
    text = json.dumps(state, ensure_ascii=False, default=default)
    try:
        save_file(whole, path, metadata={"state": text, "crc": str(_checksum(text, whole))})
    except SafetensorError as error:
        raise OSError(f"{path}: cannot be written: {error}") from error


def read_state(path: Path) -> State:
    """Read what `write_state` wrote.

    RAISES (DamagedCheckpointError): the file is not whole.
    """
    try:
        with safe_open(path, framework="np") as file:
            metadata = file.metadata() or {}
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError, ValueError) as error:
        raise DamagedCheckpointError(f"{path}: damaged checkpoint: {error}") from error
    text = metadata.get("state", "")
    if metadata.get("crc") != str(_checksum(text, arrays)):
        raise DamagedCheckpointError(f"{path}: damaged checkpoint: its checksum does not match")
    return json.loads(text), arrays


class StateFolder:
    """The folder of a run's states, by step. At most the last two stay: each has the size of weights and optimizer."""

    def __init__(self, path: Path):
        self.path = path

    def files(self) -> list[Path]:
        """The states, the newest first."""
        return sorted(self.path.glob("step-*.safetensors"), reverse=True)

    def add(self, step: int, write: Callable[[Path], None]) -> None:
        """Add a state, then remove what is older than the one before.

        step (int): its number.
        write (callable): writes it to a path.
        """
        with replaced_when_done(self.path / f"step-{step:09d}.safetensors", durable=True) as scratch:
            write(scratch)
        for old in self.files()[_KEPT:]:
            old.unlink()

    def read_last(self) -> State:
        """The newest state that is whole, see `read_newest`."""
        return self.read_newest(read_state)

    def read_newest(self, read: Callable[[Path], StateT]) -> StateT:
        """Read the newest state that is whole. Damaged ones are logged and removed.

        read (callable): reads a file.
        RAISES (CheckpointError): there is none.
        """
        for path in (files := self.files()):
            try:
                return read(path)
            except DamagedCheckpointError as error:
                logger.warning("%s; going back to the checkpoint before", error)
                path.unlink()
        if files:
            raise CheckpointError(f"{self.path}: all {len(files)} checkpoints are damaged; train anew, with --force")
        raise CheckpointError(f"{self.path}: no checkpoint to continue from; a finished training has none either")

    def remove(self) -> None:
        """Remove all states and the folder, if nothing else is in it."""
        for path in [*self.files(), *self.path.glob("step-*.part")]:
            path.unlink()
        if self.path.is_dir() and not any(self.path.iterdir()):
            self.path.rmdir()


def _checksum(text: str, arrays: Arrays) -> int:
    total = zlib.crc32(text.encode())
    for name in sorted(arrays):
        total = zlib.crc32(name.encode(), total)
        total = zlib.crc32(np.ascontiguousarray(arrays[name]).reshape(-1).view(np.uint8).data, total)
    return total
