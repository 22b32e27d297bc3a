"""A training from texts to an encoder folder, which may be stopped, killed and continued at any moment."""

import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from ...checkpoints import StateFolder, write_state
from ...errors import CheckpointError, MedflatError
from ...lattice.lexicon import read_lexicon
from ...lattice.lexicon_words import Matcher
from ...lattice.rules import WordRules
from ...runtime import package_versions
from ..pieces import PieceMap
from ..recipe import read_recipe
from . import state
from .masking import MaskPieces
from .model import load_masked_lm
from .output import DESCRIPTION, describe, write_encoder
from .sequences import CharacterPieces, Packer, Sequences, epoch_of
from .settings import PretrainSettings
from .survey import Survey, survey_texts
from .texts import TextInput
from .updates import HeldOut, Trainer
from .vocabulary import frequent_characters

CHECKPOINTS = "checkpoints"
FORMAT = 1


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
    """What is told on the way; each is a function.

    reading (callable): called with a stage, texts done and None.
    moment (callable): called with a `Moment` every `every` seconds.
    say (callable): called with a line.
    warn (callable): called with a warning.
    every (float): seconds.
    """

    reading: Callable[[str, int, int | None], None] = lambda stage, done, total: None
    moment: Callable[[Moment], None] = lambda moment: None
    say: Callable[[str], None] = lambda line: None
    warn: Callable[[str], None] = lambda line: None
    every: float = 10.0


@dataclass
class RunOptions:
    """What does not change the weights.

    output (Path): the folder of the encoder.
    resume, force (bool): go on from the last checkpoint; replace what is in the folder.
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


class Outcome(NamedTuple):
    """What a run came to.

    step, steps (int): done, and of the training.
    evaluations (list of (int, HeldOut)): after how many steps, and what was found.
    """

    step: int
    steps: int
    evaluations: list[tuple[int, HeldOut]]


def pretrain(
    inputs: Sequence[TextInput],
    settings: PretrainSettings,
    options: RunOptions,
    watch: Watcher | None = None,
    lexicon: Path | None = None,
) -> Outcome:
    """Train an encoder to restore masked characters, and write it as a Hugging Face folder.

    On a CPU with the same number of threads, a run that was killed and resumed ends with the same weights as one that
    was not. The encoder in the folder is complete whenever there is one; a run that is stopped by `minutes` leaves one,
    too.

    inputs (sequence of TextInput): the texts.
    settings (PretrainSettings), options (RunOptions): see there.
    watch (Watcher or None): is told what happens.
    lexicon (Path or None): words that are masked as a whole.
    RAISES (MedflatError): an input, the encoder, or the output cannot be used, or the checkpoint is of another run.
    RAISES (OSError): something cannot be written. The last checkpoint is whole then.
    """
    watch = watch or Watcher()
    folder = StateFolder(options.output / CHECKPOINTS)
    start = _prepare(options, folder)
    began = time.monotonic()
    survey = survey_texts(inputs, settings.held_out, watch.reading)
    identity = {
        "settings": settings.model_dump(mode="json"),
        "inputs": {given.name: given.weight for given in inputs},
        "lexicon": str(lexicon) if lexicon else None,
        "texts": survey.digest,
    }
    if start:
        _check_same(start[0], identity)
    run = _build(inputs, settings, options, survey, lexicon, watch)
    run.identity = identity
    if start:
        run.restore(*start)
        watch.say(f"Continuing after step {run.step:,} of {run.steps:,}")
    else:
        watch.say(f"{run.steps:,} steps of {settings.batch} × {settings.length} characters")
    return run.train(options, folder, watch, began)


def _prepare(options: RunOptions, folder: StateFolder) -> tuple[dict[str, Any], dict[str, np.ndarray]] | None:
    """See that the output can be used. RETURNS the last checkpoint if the run is to go on from one."""
    output = options.output
    if options.resume and options.force:
        raise CheckpointError("--resume continues a training and --force starts it anew: give one of them")
    if output.exists() and not output.is_dir():
        raise MedflatError(f"{output}: there is a file of this name; give a new or an empty folder")
    for scratch in [*output.glob(".medflat-*"), *folder.path.glob(".medflat-*")]:
        shutil.rmtree(scratch)
    if options.resume:
        return folder.read_last()
    if output.is_dir() and any(output.iterdir()):
        if not options.force:
            hint = "--resume continues it, " if folder.files() else ""
            raise MedflatError(
                f"{output}: there is something in this folder; {hint}--force replaces what a training wrote"
            )
        if not folder.files() and not (output / DESCRIPTION).is_file():
            raise MedflatError(f"{output}: this folder holds no training; give a new or an empty one")
        shutil.rmtree(output)
    return None


def _check_same(saved: dict[str, Any], identity: dict[str, Any]) -> None:
    if saved.get("format") != FORMAT:
        raise CheckpointError(
            "the checkpoint was written by another version of spacy_medflat: train anew, with --force"
        )
    before, now = ({**given, **given["settings"]} for given in (saved["identity"], identity))
    for name in now.keys() | before.keys():
        if name != "settings" and before.get(name) != now.get(name):
            what = (
                "the texts are not those"
                if name == "texts"
                else f"{name} is {now.get(name)!r}, not {before.get(name)!r}"
            )
            raise CheckpointError(f"{what} of the checkpoint. Change it back, or train anew with --force")


def _build(
    inputs: Sequence[TextInput],
    settings: PretrainSettings,
    options: RunOptions,
    survey: Survey,
    lexicon: Path | None,
    watch: Watcher,
) -> "_Run":
    torch.manual_seed(settings.seed)
    characters = frequent_characters(survey.frequency, settings.vocabulary) if settings.vocabulary else None
    tokenizer, model, has_head = load_masked_lm(settings.encoder, characters)
    if settings.dropout is not None:
        model.set_dropout(settings.dropout)
    positions = model.encoder.config.max_position_embeddings
    if settings.length > positions:
        raise MedflatError(f"length {settings.length} does not fit the encoder: it has {positions} positions")
    if read_recipe(Path(settings.encoder)) is not None and settings.length < positions:
        watch.warn(
            f"positions from {settings.length} to {positions - 1} stay untrained: read texts with window = "
            f"{settings.length - 2} or less, or train with --length {positions}"
        )
    elif not has_head:
        watch.say("the encoder has no masked-language head: a new one is trained with it")
    pieces = PieceMap(tokenizer)
    matcher = Matcher(read_lexicon(lexicon), WordRules(), "lexicon", nested=False) if lexicon else None
    encode = CharacterPieces(pieces, matcher)
    mask_pieces = MaskPieces.of(pieces, tokenizer, model.encoder.config.vocab_size)
    read = sum(found.characters * given.weight for given, found in zip(inputs, survey.counts.values(), strict=True))
    steps = settings.steps_for(read)
    packer = Packer(settings.length, pieces)
    held_out = [*packer.add(encode(list(survey.held_out.values()))), *packer.finish()]
    trainer = Trainer(model.to(options.device), mask_pieces, settings, steps)

    def sequences(epoch: int, taken: int) -> Sequences:
        return Sequences(
            lambda number: epoch_of(inputs, survey, encode, settings.length, settings.seed, number), epoch, taken
        )

    return _Run(trainer, tokenizer, settings, survey, steps, np.stack(held_out), sequences)


@dataclass
class _Run:
    """A training in progress: what a checkpoint is made of, and restored into."""

    trainer: Trainer
    tokenizer: Any
    settings: PretrainSettings
    survey: Survey
    steps: int
    held_out: NDArray[np.int32]
    make_sequences: Callable[[int, int], Sequences]
    identity: dict[str, Any] = field(default_factory=dict)
    step: int = 0
    characters: int = 0
    seconds: float = 0.0
    evaluations: list[tuple[int, HeldOut]] = field(default_factory=list)
    sequences: Sequences | None = None

    def restore(self, saved: dict[str, Any], arrays: dict[str, np.ndarray]) -> None:
        state.load(self.trainer.model, self.trainer.optimizer, arrays)
        self.step, self.characters, self.seconds = saved["step"], saved["characters"], saved["seconds"]
        self.evaluations = [(step, HeldOut(*found)) for step, found in saved["evaluations"]]
        self.sequences = self.make_sequences(saved["epoch"], saved["taken"])

    def save(self, folder: StateFolder) -> None:
        assert self.sequences is not None
        values = {
            "format": FORMAT,
            "identity": self.identity,
            "step": self.step,
            "characters": self.characters,
            "seconds": self.seconds,
            "epoch": self.sequences.epoch,
            "taken": self.sequences.taken,
            "evaluations": self.evaluations,
            "versions": package_versions(),
        }
        arrays = state.dump(self.trainer.model, self.trainer.optimizer)
        folder.write(self.step, lambda path: write_state(path, values, arrays))

    def evaluate(self, watch: Watcher) -> None:
        size = self.settings.batch
        found = self.trainer.evaluate(self.held_out[i : i + size] for i in range(0, len(self.held_out), size))
        self.evaluations.append((self.step, found))
        watch.say(
            f"step {self.step:,}: held-out loss {found.loss:.4f}, {found.accuracy:.2%} of {found.masked:,} masked "
            "characters restored"
        )

    def train(self, options: RunOptions, folder: StateFolder, watch: Watcher, began: float) -> Outcome:
        if self.sequences is None:
            self.sequences = self.make_sequences(0, 0)
            self.evaluate(watch)
        due = {round(self.steps * (i + 1) / self.settings.evaluations) for i in range(self.settings.evaluations)}
        last = saved = reported = time.monotonic()
        begin, before, first = last, self.characters, self.step
        losses: list[torch.Tensor] = []
        while self.step < self.steps:
            batch = self.sequences.batch(self.settings.batch)
            losses.append(self.trainer.update(batch, self.step))
            self.step += 1
            self.characters += int((batch[:, 0] != self.trainer.pieces.pad_id).sum())
            if self.step in due:
                self.evaluate(watch)
            now = time.monotonic()
            self.seconds, last = self.seconds + now - last, now
            if now - reported > watch.every:
                loss = float(torch.stack(losses).mean())
                read = self.characters - before
                watch.moment(Moment(self.step, self.steps, self.step - first, read, now - begin, loss))
                losses, reported = [], now
            if options.minutes is not None and now - began > 60 * options.minutes:
                break
            if now - saved > 60 * options.save_every:
                self.save(folder)
                saved = time.monotonic()
        finished = self.step >= self.steps
        if not finished:
            self.save(folder)
        description = describe(
            self.identity, self.survey, self.outcome(), self.characters, self.seconds, options.command
        )
        write_encoder(self.trainer.model, self.tokenizer, description, options.output, options.half)
        if finished:
            folder.remove()
        return self.outcome()

    def outcome(self) -> Outcome:
        return Outcome(self.step, self.steps, self.evaluations)
