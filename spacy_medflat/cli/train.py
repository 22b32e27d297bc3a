"""`medflat train`: `spacy train` with checkpoints."""

import logging
import sys
from pathlib import Path
from typing import Annotated

import typer
from spacy.training.initialize import init_nlp
from spacy.util import load_config, logger
from wasabi import msg

from .._internals import import_code, parse_config_overrides, show_validation_error
from ..errors import CheckpointError
from ..runtime import use_device
from ..training.resume.checkpoint import CheckpointFolder
from ..training.resume.loop import CHECKPOINTS
from ..training.resume.loop import train as train_nlp
from .common import Code, GpuId, friendly_errors


def train(
    ctx: typer.Context,
    config: Annotated[Path, typer.Argument(help="Training config.", exists=True, dir_okay=False)],
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder for model-best, model-last and checkpoints.")],
    resume: Annotated[bool, typer.Option("--resume", help="Continue from the last checkpoint.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Train anew, and remove the checkpoints that exist.")] = False,
    checkpoint_every: Annotated[
        int, typer.Option(min=0, help="Steps between checkpoints; 0 for one at each evaluation.")
    ] = 0,
    code: Code = None,
    verbose: Annotated[bool, typer.Option("--verbose", "-V", help="Display more information.")] = False,
    gpu_id: GpuId = -1,
) -> None:
    """Train a pipeline as `spacy train` does; after a crash or a kill, --resume continues it.

    Settings of the config are overridden as in `spacy train`: --training.seed 1. A run that is resumed ends with the
    same weights as one that was never interrupted, on a CPU. The config must be the same.
    """
    if verbose:
        logger.setLevel(logging.DEBUG)
    overrides = parse_config_overrides(list(ctx.args))
    import_code(code)
    with friendly_errors("The same command with --resume goes on from the last checkpoint, if there is one."):
        _check_output(output, resume, force)
        output.mkdir(parents=True, exist_ok=True)
        msg.info(f"Saving to output directory: {output}")
        use_device(gpu_id)
        msg.info("Using CPU" if gpu_id < 0 else f"Using GPU: {gpu_id}")
        with show_validation_error(config):
            loaded = load_config(config, overrides=overrides, interpolate=False)
        msg.divider("Initializing pipeline")
        with show_validation_error(config, hint_fill=False):
            nlp = init_nlp(loaded, use_gpu=gpu_id)
        msg.good("Initialized pipeline")
        msg.divider("Training pipeline")
        train_nlp(
            nlp,
            output,
            resume=resume,
            checkpoint_every=checkpoint_every,
            use_gpu=gpu_id,
            stdout=sys.stdout,
            stderr=sys.stderr,
        )


def _check_output(output: Path, resume: bool, force: bool) -> None:
    """RAISES (CheckpointError): there are checkpoints and neither option is given, or there are none to resume from."""
    if resume and force:
        raise CheckpointError("--resume continues a training and --force starts it anew: give one of them")
    exists = bool(CheckpointFolder(output / CHECKPOINTS).files())
    if resume and not exists:
        raise CheckpointError(f"{output}: no checkpoint to continue from; a finished training has none either")
    if exists and not resume and not force:
        raise CheckpointError(
            f"{output}: an interrupted training has checkpoints here: --resume continues it, --force starts anew"
        )
