"""What of a training does not change its weights: where it writes, when it stops, and whom it tells what."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import torch

from .trainer import HeldOut


@dataclass
class RunOptions:
    """How a training is run.

    output (Path): the folder of the encoder.
    resume, force (bool): go on from the last checkpoint; replace what an earlier training left.
    replace (bool): go on from a checkpoint of the same training if there is one, else as `force`.
    save_every (float): minutes between checkpoints.
    minutes (float or None): stop after so many.
    half (bool): write float16 weights.
    device (torch.device): where to compute.
    command (str): to be named in the card.
    """

    output: Path
    resume: bool = False
    force: bool = False
    save_every: float = 10.0
    minutes: float | None = None
    half: bool = False
    device: torch.device = field(default_factory=lambda: torch.device("cpu"))
    command: str = ""
    replace: bool = False


class Moment(NamedTuple):
    """How far a training is.

    step, steps (int): done, and of the training.
    done (int): steps that this process has done.
    characters (int): that it has read.
    seconds (float): that it took.
    loss (float): mean of the training since the last report.
    """

    step: int
    steps: int
    done: int
    characters: int
    seconds: float
    loss: float


@dataclass
class Watcher:
    """Functions that are called on the way.

    reading (callable): with a stage, the texts done in it, and None.
    moment (callable): with a `Moment`, every `every` seconds.
    say, warn (callable): with a line.
    every (float): seconds.
    """

    reading: Callable[[str, int, int | None], None] = lambda stage, done, total: None
    moment: Callable[[Moment], None] = lambda moment: None
    say: Callable[[str], None] = lambda line: None
    warn: Callable[[str], None] = lambda line: None
    every: float = 10.0


class Outcome(NamedTuple):
    """What a run came to.

    step, steps (int): done, and of the training.
    evaluations (list of (int, HeldOut)): after how many steps, and what was found.
    """

    step: int
    steps: int
    evaluations: list[tuple[int, HeldOut]]
