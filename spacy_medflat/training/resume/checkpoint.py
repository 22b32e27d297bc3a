"""Checkpoints of a training run: one file each, written whole or not at all, the last two kept."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from ...checkpoints import StateFolder, read_state, write_state
from ...errors import CheckpointError

FORMAT = 2


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


class CheckpointFolder(StateFolder):
    """The folder of a run's checkpoints."""

    def write(self, checkpoint: Checkpoint) -> None:
        """Add a checkpoint, then remove what is older than the one before."""
        self.add(checkpoint.step, lambda path: write_checkpoint(checkpoint, path))

    def read_last(self) -> Checkpoint:  # type: ignore[override]
        """The newest checkpoint that is whole, see `read_newest`."""
        return self.read_newest(read_checkpoint)


def write_checkpoint(checkpoint: Checkpoint, path: Path) -> None:
    """Write a checkpoint, see `write_state`."""
    values = {name: value for name, value in vars(checkpoint).items() if name != "arrays"}
    write_state(path, {"format": FORMAT, **values}, checkpoint.arrays, default=_plain)


def read_checkpoint(path: Path) -> Checkpoint:
    """Read a checkpoint.

    RAISES (DamagedCheckpointError): the file is not whole.
    RAISES (CheckpointError): it is of another format.
    """
    values, arrays = read_state(path)
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
