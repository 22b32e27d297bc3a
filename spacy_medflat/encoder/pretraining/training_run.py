"""The steps of a training, its checkpoints on the way, and the encoder at the end."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from ...checkpoints import StateFolder, write_state
from ...errors import amount
from ...runtime import package_versions, stop_asked
from . import learnt_state
from .encoder_folder import write_encoder
from .epochs import Sequences
from .packing import IDS
from .run_options import Moment, Outcome, RunOptions, Watcher
from .trainer import HeldOut, Trainer

FORMAT = 1


@dataclass
class TrainingRun:
    """A training that has begun.

    trainer (Trainer): makes its steps.
    tokenizer (PreTrainedTokenizerBase): of the encoder.
    held_out (int32 [sequences, 2, length]): see `Places`.
    make_sequences (callable): makes `Sequences` from an epoch and how many of its sequences were taken before.
    identity (dict): what makes a training another one; a checkpoint of this one has the same.
    facts (dict): what else the description of the encoder says.
    step, characters (int), seconds (float): done, read and taken, by all processes together.
    """

    trainer: Trainer
    tokenizer: Any
    held_out: NDArray[np.int32]
    make_sequences: Callable[[int, int], Sequences]
    identity: dict[str, Any]
    facts: dict[str, Any]
    step: int = 0
    characters: int = 0
    seconds: float = 0.0
    evaluations: list[tuple[int, HeldOut]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.steps, self.batch = self.trainer.steps, self.trainer.settings.batch
        parts = self.trainer.settings.evaluations
        self._looks = {round(self.steps * (i + 1) / parts) for i in range(parts)}
        self._sequences: Sequences | None = None

    @property
    def outcome(self) -> Outcome:
        """How far it is."""
        return Outcome(self.step, self.steps, self.evaluations)

    def restore(self, saved: dict[str, Any], arrays: dict[str, np.ndarray]) -> None:
        """Go on from a checkpoint.

        RAISES (CheckpointError): it is of another encoder.
        """
        learnt_state.load(self.trainer.model, self.trainer.optimizer, arrays)
        self.step, self.characters, self.seconds = saved["step"], saved["characters"], saved["seconds"]
        self.evaluations = [(step, HeldOut(*found)) for step, found in saved["evaluations"]]
        self._sequences = self.make_sequences(saved["epoch"], saved["taken"])

    def train(self, folder: StateFolder, options: RunOptions, watch: Watcher, until: float | None) -> None:
        """Make the steps that are left, and write the encoder.

        folder (StateFolder): of the checkpoints. They are removed when the training is done.
        options (RunOptions), watch (Watcher): see there.
        until (float or None): stop at this time of `time.monotonic`, with a checkpoint and the encoder as it is then.
        RAISES (KeyboardInterrupt): the process was asked to stop; there is a checkpoint.
        RAISES (OSError): a file cannot be written. The last checkpoint is whole then.
        """
        if self._sequences is None:
            self._sequences = self.make_sequences(0, 0)
            self._look(watch)
            self._save(folder, self._sequences)
        with stop_asked() as stop:
            self._steps(folder, options, watch, self._sequences, lambda: stop() or _after(until))
            if self.step < self.steps:
                self._save(folder, self._sequences)
                if stop():
                    raise KeyboardInterrupt
        description = {
            **self.identity,
            **self.facts,
            "command": options.command,
            "steps": self.steps,
            "steps_done": self.step,
            "characters_read": self.characters,
            "seconds": round(self.seconds, 1),
            "evaluations": [{"step": step, **found._asdict()} for step, found in self.evaluations],
            "versions": package_versions(),
        }
        write_encoder(self.trainer.model, self.tokenizer, description, options.output, options.half)
        if self.step == self.steps:
            folder.remove()

    def _steps(
        self, folder: StateFolder, options: RunOptions, watch: Watcher, sequences: Sequences, stop: Callable[[], bool]
    ) -> None:
        begin = last = saved = reported = time.monotonic()
        first, read = self.step, self.characters
        losses: list[torch.Tensor] = []
        while self.step < self.steps and not stop():
            batch = sequences.batch(self.batch)
            losses.append(self.trainer.update(batch, self.step))
            self.step += 1
            self.characters += int(np.isin(batch[:, IDS], self.trainer.pieces.frame, invert=True).sum())
            if self.step in self._looks:
                self._look(watch)
            now = time.monotonic()
            self.seconds, last = self.seconds + now - last, now
            if now - reported > watch.every:
                loss = float(torch.stack(losses).mean())
                done, characters = self.step - first, self.characters - read
                watch.moment(Moment(self.step, self.steps, done, characters, now - begin, loss))
                losses, reported = [], now
            if now - saved > 60 * options.save_every and self.step < self.steps:
                self._save(folder, sequences)
                saved = time.monotonic()

    def _look(self, watch: Watcher) -> None:
        """Evaluate on the held-out texts."""
        parts = np.split(self.held_out, range(self.batch, len(self.held_out), self.batch))
        found = self.trainer.evaluate(parts)
        self.evaluations.append((self.step, found))
        watch.say(
            f"step {self.step:,}: held-out loss {found.loss:.4f}, {found.accuracy:.2%} of "
            f"{amount(found.masked, 'masked character')} restored"
        )

    def _save(self, folder: StateFolder, sequences: Sequences) -> None:
        values = {
            "format": FORMAT,
            "identity": self.identity,
            "step": self.step,
            "characters": self.characters,
            "seconds": self.seconds,
            "epoch": sequences.epoch,
            "taken": sequences.taken,
            "evaluations": self.evaluations,
            "versions": package_versions(),
        }
        arrays = learnt_state.dump(self.trainer.model, self.trainer.optimizer)
        folder.add(self.step, lambda path: write_state(path, values, arrays))


def _after(until: float | None) -> bool:
    return until is not None and time.monotonic() > until
