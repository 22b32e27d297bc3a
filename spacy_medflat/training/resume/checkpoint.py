"""Checkpoints of a training run: one file each, written whole or not at all, the last two kept."""

import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file
from spacy.util import logger

from ...errors import CheckpointError, DamagedCheckpointError
from ...files import replaced_when_done

FORMAT = 2
_KEPT = 2


@dataclass(frozen=True)
class Evaluation:
    """What an evaluation found.

    step (int): the step it followed, counted from 0.
    score (float), other_scores (dict), losses (dict of float): what `train_while_improving` says of it.
    """

    step: int
    score: float
    other_scores: dict[str, Any]
    losses: dict[str, float]


@dataclass(frozen=True)
class Checkpoint:
    """A run after a step.

    step (int): the last step done, counted from 0.
    evaluations (list of Evaluation): all so far.
    losses (dict of float): the sums since the last evaluation.
    texts (int): CRC-32 of all texts trained on so far, with their annotations.
    dev_texts (int): CRC-32 of the dev texts with theirs.
    config (str): the pipeline's.
    labels (dict of list of str): of each component.
    versions (dict of str): of packages.
    arrays (dict of arrays): weights, optimizer and random states, under names such as `weights|medflat_ner/3/W`.
    """

    step: int
    evaluations: list[Evaluation]
    losses: dict[str, float]
    texts: int
    dev_texts: int
    config: str
    labels: dict[str, list[str]]
    versions: dict[str, str]
    arrays: dict[str, np.ndarray] = field(default_factory=dict, repr=False)

    def part(self, name: str) -> dict[str, np.ndarray]:
        """The arrays of one part: `weights`, `optimizer` or `random`."""
        prefix = f"{name}|"
        return {key.removeprefix(prefix): array for key, array in self.arrays.items() if key.startswith(prefix)}


class CheckpointFolder:
    """The folder of a run's checkpoints. At most the last two stay: each has the size of weights and optimizer."""

    def __init__(self, path: Path):
        self.path = path

    def files(self) -> list[Path]:
        """The checkpoints, the newest first."""
        return sorted(self.path.glob("step-*.safetensors"), reverse=True)

    def write(self, checkpoint: Checkpoint) -> None:
        """Add a checkpoint, then remove what is older than the one before."""
        target = self.path / f"step-{checkpoint.step:09d}.safetensors"
        with replaced_when_done(target, durable=True) as scratch:
            write_checkpoint(checkpoint, scratch)
        for old in self.files()[_KEPT:]:
            old.unlink()

    def read_last(self) -> Checkpoint:
        """The newest checkpoint that is whole. Damaged ones are logged and removed.

        RAISES (CheckpointError): there is none.
        """
        for path in (files := self.files()):
            try:
                return read_checkpoint(path)
            except DamagedCheckpointError as error:
                logger.warning("%s; going back to the checkpoint before", error)
                path.unlink()
        if files:
            raise CheckpointError(f"{self.path}: all {len(files)} checkpoints are damaged; train anew, with --force")
        raise CheckpointError(f"{self.path}: no checkpoint to continue from; a finished training has none either")

    def remove(self) -> None:
        """Remove all checkpoints and the folder, if nothing else is in it."""
        for path in [*self.files(), *self.path.glob("step-*.part")]:
            path.unlink()
        if self.path.is_dir() and not any(self.path.iterdir()):
            self.path.rmdir()


def write_checkpoint(checkpoint: Checkpoint, path: Path) -> None:
    """Write a checkpoint as safetensors, with a CRC-32 of everything in it."""
    arrays = {name: np.require(array, requirements="C") for name, array in checkpoint.arrays.items()}
    values = {name: value for name, value in vars(checkpoint).items() if name != "arrays"}
    state = json.dumps({"format": FORMAT, **values}, ensure_ascii=False, default=_plain)
    save_file(arrays, path, metadata={"state": state, "crc": str(_checksum(state, arrays))})


def read_checkpoint(path: Path) -> Checkpoint:
    """Read a checkpoint.

    RAISES (DamagedCheckpointError): the file is not whole.
    RAISES (CheckpointError): it is of another format.
    """
    try:
        with safe_open(path, framework="np") as file:
            metadata = file.metadata() or {}
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError, ValueError) as error:
        raise DamagedCheckpointError(f"{path}: damaged checkpoint: {error}") from error
    state = metadata.get("state", "")
    if metadata.get("crc") != str(_checksum(state, arrays)):
        raise DamagedCheckpointError(f"{path}: damaged checkpoint: its checksum does not match")
    values = json.loads(state)
    if values.pop("format") != FORMAT:
        raise CheckpointError(f"{path}: written by another version of spacy_medflat: train anew, with --force")
    values["evaluations"] = [Evaluation(**evaluation) for evaluation in values["evaluations"]]
    return Checkpoint(arrays=arrays, **values)


def _plain(value: Any) -> Any:
    """Evaluations as dicts, scalars of numpy as Python's."""
    if isinstance(value, Evaluation):
        return vars(value)
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"cannot save {value!r} in a checkpoint: scores and losses must be numbers, texts, lists or dicts")


def _checksum(state: str, arrays: Mapping[str, np.ndarray]) -> int:
    total = zlib.crc32(state.encode())
    for name in sorted(arrays):
        total = zlib.crc32(name.encode(), total)
        total = zlib.crc32(np.ascontiguousarray(arrays[name]).reshape(-1).view(np.uint8).data, total)
    return total
