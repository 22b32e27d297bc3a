"""Training a run, in a process of its own: `python -m spacy_medflat.experiments.train FOLDER GPU_ID`."""

from __future__ import annotations

import sys
from pathlib import Path

import torch
from spacy.cli._util import setup_gpu, show_validation_error
from spacy.training.initialize import init_nlp
from spacy.util import load_config

from ..corpus.atomic import write_json
from ..training.checkpoint import CheckpointFolder
from ..training.run import CHECKPOINTS, train
from .environment import describe_environment
from .folder import RunFolder, read_json
from .log import read_log


def train_run(folder: RunFolder, gpu_id: int = -1) -> None:
    """Train with the run's config, from its last checkpoint if there is one, then write its environment.

    This process writes it: it may outlive the one that started it, and the next attempt must see that it is done.
    """
    resume = bool(CheckpointFolder(folder.training / CHECKPOINTS).files())
    if not resume:
        # Of an attempt that ended before its first checkpoint.
        folder.log.unlink(missing_ok=True)
    folder.training.mkdir(exist_ok=True)
    with show_validation_error(folder.config, hint_fill=False):
        config = load_config(folder.config, interpolate=False)
        # The folder may have been moved since the config was written.
        config["training"]["logger"]["output_file"] = str(folder.log)
        nlp = init_nlp(config, use_gpu=gpu_id)
    train(nlp, folder.training, resume=resume, use_gpu=gpu_id, stdout=sys.stdout, stderr=sys.stderr)
    log = read_log(folder.log)
    environment = {
        **describe_environment(torch.get_num_threads()),
        "seed": read_json(folder.row)["seed"],
        "steps": log.steps[-1],
        "seconds": log.seconds,
    }
    write_json(folder.environment, environment)


if __name__ == "__main__":
    setup_gpu(int(sys.argv[2]), silent=True)
    train_run(RunFolder(Path(sys.argv[1])), int(sys.argv[2]))
