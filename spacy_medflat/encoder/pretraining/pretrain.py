"""From texts and an encoder to a trained one, in a run that may be stopped, killed and continued at any moment."""

import hashlib
import shutil
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ...checkpoints import StateFolder
from ...errors import CheckpointError, MedflatError, amount
from ...lattice.lexicon import read_lexicon
from ...lattice.lexicon_words import Matcher
from ...lattice.rules import WordRules
from ...runtime import package_versions
from ..pieces import PieceMap
from .encoder_folder import DESCRIPTION, read_description
from .encoder_source import MOST_UNKNOWN, find_recipe, load_masked_lm
from .epochs import Sequences, epoch_of
from .masked_lm import MaskedLanguageModel
from .masking import MaskPieces
from .packing import CharacterPieces, Packer
from .pretrain_settings import PretrainSettings
from .run_options import Outcome, RunOptions, Watcher
from .survey import Survey, survey_texts
from .text_inputs import TextInput
from .trainer import HeldOut, Trainer
from .training_run import FORMAT, TrainingRun
from .vocabulary import frequent_characters

CHECKPOINTS = "checkpoints"
# Share of unknown characters from which texts are worth a look.
_MUCH_UNKNOWN = 0.1


def pretrain(
    inputs: Sequence[TextInput], settings: PretrainSettings, options: RunOptions, watch: Watcher | None = None
) -> Outcome:
    """Train an encoder to restore masked characters, and write it as a Hugging Face folder.

    On a CPU with the same number of threads, a run that was killed and resumed ends with the same weights as one that
    was not.

    inputs (sequence of TextInput): the texts.
    settings (PretrainSettings): decide the weights.
    options (RunOptions): do not.
    watch (Watcher or None): is told what happens.
    RETURNS (Outcome): how far it came.
    RAISES (MedflatError): an input, the encoder, or the output cannot be used, or the checkpoint is of another run.
    RAISES (OSError): something cannot be written. The last checkpoint is whole then.
    """
    watch = watch or Watcher()
    until = None if options.minutes is None else time.monotonic() + 60 * options.minutes
    folder = StateFolder(options.output / CHECKPOINTS)
    _check_output(folder, settings, options)
    if options.resume and (done := _finished(folder, options.output)):
        watch.say(f"All {amount(done.steps, 'step')} were done before")
        return done
    start = _read_start(folder, options)
    # With --replace the first weights matter until the checkpoint is known to be of this training.
    new = start is None or options.replace
    recipe, words = find_recipe(settings), _read_words(settings.lexicon)
    encoder = None if settings.vocabulary else load_masked_lm(settings, recipe, None, watch, new=new)
    survey = survey_texts(inputs, settings.held_out, watch.reading)
    _tell_texts(survey, watch)
    if encoder is None:
        characters = frequent_characters(survey.frequency, settings.vocabulary)
        encoder = load_masked_lm(settings, recipe, characters, watch, new=new)
    run = _build(inputs, settings, survey, *encoder, words, options.device, watch)
    if start and _is_same(start[0], run.identity, options, watch):
        run.restore(*start)
        watch.say(f"Continuing after step {run.step:,} of {run.steps:,}")
    else:
        folder.remove()
        watch.say(f"{amount(run.steps, 'step')} of {settings.batch} × {settings.length} characters")
    run.train(folder, options, watch, until)
    return run.outcome


def _check_output(folder: StateFolder, settings: PretrainSettings, options: RunOptions) -> None:
    """RAISES (MedflatError): there is something in the folder that is not to be replaced."""
    output = options.output
    if options.resume + options.force + options.replace > 1:
        raise CheckpointError(
            "--resume continues a training, --force starts it anew, --replace does what is possible: give one of them"
        )
    if output.exists() and not output.is_dir():
        raise MedflatError(f"{output}: there is a file of this name; give a new or an empty folder")
    if output.resolve() == Path(settings.encoder).resolve():
        raise MedflatError(f"{output}: the encoder is in this folder; give another one for the trained encoder")
    # What a process that was killed was about to write.
    for scratch in [*output.glob(".medflat-*"), *folder.path.glob(".medflat-*")]:
        shutil.rmtree(scratch)
    if options.resume or not output.is_dir() or not any(output.iterdir()):
        return
    if not folder.files() and not (output / DESCRIPTION).is_file():
        raise MedflatError(f"{output}: there is something else than a training in this folder; give a new or empty one")
    if not options.force and not options.replace:
        hint = "--resume continues it, --force starts anew" if folder.files() else "--force replaces it"
        raise MedflatError(f"{output}: there is a training in this folder: {hint}")


def _read_start(folder: StateFolder, options: RunOptions) -> tuple[dict[str, Any], dict[str, np.ndarray]] | None:
    """The checkpoint to go on from, if there is to be one."""
    if options.replace:
        with suppress(CheckpointError):
            return folder.read_last()
    return folder.read_last() if options.resume else None


def _finished(folder: StateFolder, output: Path) -> Outcome | None:
    """What the run came to whose encoder is in the folder, if all its steps are done."""
    if folder.files() or not (output / DESCRIPTION).is_file():
        return None
    found = read_description(output)
    looks = [(look.pop("step"), HeldOut(**look)) for look in found.get("evaluations", [])]
    steps = found.get("steps")
    return Outcome(steps, steps, looks) if steps and found.get("steps_done") == steps else None


def _is_same(saved: dict[str, Any], identity: dict[str, Any], options: RunOptions, watch: Watcher) -> bool:
    """Whether the checkpoint is of this training. RAISES (CheckpointError): it is not, and must not be replaced."""
    try:
        _check_same(saved, identity, watch)
    except CheckpointError:
        if not options.replace:
            raise
        watch.say("There is a checkpoint of another training, which is replaced")
        return False
    return True


def _check_same(saved: dict[str, Any], identity: dict[str, Any], watch: Watcher) -> None:
    """RAISES (CheckpointError): the checkpoint is of a training with other settings or texts."""
    if saved.get("format") != FORMAT:
        raise CheckpointError("the checkpoint is of another version of spacy_medflat: train anew, with --force")
    before, now = ({**given, **given["settings"]} for given in (saved["identity"], identity))
    different = [name for name in now | before if name != "settings" and before.get(name) != now.get(name)]
    if different:
        shown = "; ".join(f"{name}: {before.get(name)!r}, now {now.get(name)!r}" for name in different)
        raise CheckpointError(f"the checkpoint is of another training ({shown}). Change it back, or use --force")
    for name, version in saved["versions"].items():
        if (installed := package_versions().get(name)) != version:
            watch.warn(f"{name} is {installed}, but {version} wrote the checkpoint: weights may differ")


def _tell_texts(survey: Survey, watch: Watcher) -> None:
    watch.say(f"{amount(survey.texts, 'text')} of {amount(survey.characters, 'character')}")
    for name, found in survey.counts.items():
        for reason, number in found.left_out.reasons.most_common():
            first = found.left_out.first.get(reason)
            watch.warn(f"{name}: left out {amount(number, 'text')} {reason}{f', the first {first}' if first else ''}")


def _read_words(lexicon: str | None) -> Matcher | None:
    return None if lexicon is None else Matcher(read_lexicon(Path(lexicon)), WordRules(), "lexicon", nested=False)


def _build(
    inputs: Sequence[TextInput],
    settings: PretrainSettings,
    survey: Survey,
    tokenizer: Any,
    model: MaskedLanguageModel,
    words: Matcher | None,
    device: torch.device,
    watch: Watcher,
) -> TrainingRun:
    """Everything that a training needs, at its first step."""
    pieces = PieceMap(tokenizer)
    encode = CharacterPieces(pieces, words)
    unknown = encode.unknown_share(survey.frequency)
    if unknown > MOST_UNKNOWN:
        raise MedflatError(
            f"the encoder {settings.encoder!r} does not know {unknown:.0%} of the characters of the texts: choose "
            "another encoder, or a recipe with --vocabulary"
        )
    if unknown > _MUCH_UNKNOWN:
        watch.warn(f"the encoder does not know {unknown:.0%} of the characters of the texts, white space among them")
    if survey.characters < settings.batch * (settings.length - 2):
        watch.warn(f"the texts fill less than a batch of {settings.batch} sequences: each step reads them repeatedly")
    mask_pieces = MaskPieces.of(pieces, tokenizer, model.encoder.config.vocab_size)
    read = sum(survey.counts[given.name].characters * given.weight for given in inputs)
    packer = Packer(settings.length, pieces)
    held_out = [*packer.add(encode(list(survey.held_out.values()))), *packer.finish()]

    def sequences(epoch: int, taken: int) -> Sequences:
        return Sequences(
            lambda number: epoch_of(inputs, survey, encode, settings.length, settings.seed, number), epoch, taken
        )

    identity = {
        "settings": settings.model_dump(mode="json"),
        "inputs": {given.name: given.weight for given in inputs},
        "texts": survey.digest,
        "words": _digest(settings.lexicon),
        "pieces": hashlib.sha256(repr(sorted(tokenizer.get_vocab().items())).encode()).hexdigest(),
    }
    facts = {
        "sources": {
            name: {"texts": found.texts, "characters": found.characters, "left_out": dict(found.left_out.reasons)}
            for name, found in survey.counts.items()
        },
        "held_out_texts": len(survey.held_out),
        "unknown_share": round(unknown, 6),
    }
    trainer = Trainer(model.to(device), mask_pieces, settings, settings.steps_for(read))
    return TrainingRun(trainer, tokenizer, np.stack(held_out), sequences, identity, facts)


def _digest(path: str | None) -> str | None:
    return None if path is None else hashlib.sha256(Path(path).read_bytes()).hexdigest()
