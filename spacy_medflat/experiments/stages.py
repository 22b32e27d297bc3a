"""The stages of a run, each a process of its own: `python -m spacy_medflat.experiments.stages STAGE FOLDER GPU_ID`."""

import sys
from collections.abc import Callable
from pathlib import Path

import torch
from spacy.training.initialize import init_nlp
from spacy.util import load_config

from .._internals import show_validation_error
from ..files import locked, read_json, write_json
from ..loading import first_span_finder, load_model
from ..ner.span_finder import LOWEST_SCORE, candidates_of
from ..runtime import use_device
from ..training.resume.checkpoint import CheckpointFolder
from ..training.resume.loop import CHECKPOINTS, train
from .environment import describe_environment
from .folder import RunFolder, read_log
from .predictions import passing, scored_spans, write_predictions
from .scores import score, text_counts
from .texts import read_texts


def train_run(folder: RunFolder, gpu_id: int = -1) -> None:
    """Train with the run's config, from its last checkpoint if there is one, then write its environment.

    This process writes it: it may outlive the one that started it, and the next attempt must see that it is done.

    folder (RunFolder): of the run.
    gpu_id (int): the GPU to use, -1 for the CPU.
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
    trained = {"seed": read_json(folder.row)["seed"], "steps": log.steps[-1], "seconds": log.seconds}
    write_json(folder.environment, {**describe_environment(torch.get_num_threads()), **trained})


def score_run(folder: RunFolder, gpu_id: int = -1) -> None:
    """Write the predictions of a run's pipeline, the best or the last, on the dev texts, then its scores.

    A row with a `max_length` reads so many characters of each text; the gold after them counts as missed. Thresholds
    and nesting are those of the pipeline.

    folder (RunFolder): of the run.
    gpu_id (int): the GPU to use, -1 for the CPU.
    RAISES (MedflatError): there is no text to score, or no component that finds nested spans.
    """
    row = read_json(folder.row)
    texts = read_texts(load_config(folder.config, interpolate=True)["corpora"]["dev"])
    model = str(folder.training / f"model-{row['scored']}")
    nlp = load_model(model)
    finder = first_span_finder(nlp, model)
    found = candidates_of(nlp, finder, (text[: row["max_length"] or None] for text in texts.texts))
    predictions = [scored_spans(doc, candidates, finder.labels) for doc, candidates in found]
    write_predictions(folder.predictions, texts.ids, predictions)
    thresholds, nesting = {label: finder.threshold_of(label) for label in finder.labels}, finder.cfg["nesting"]
    counts = text_counts(texts.gold, [passing(spans, thresholds, nesting) for spans in predictions])
    scores = {
        **score(counts)._asdict(),
        **dict(zip(("hits", "found", "gold"), counts.sum(axis=0).tolist(), strict=True)),
        # The score that the spans in the file are above.
        "floor": LOWEST_SCORE,
        "thresholds": thresholds,
        "nesting": nesting,
        "texts": len(texts),
        "checksum": texts.checksum,
    }
    write_json(folder.scores, scores)


STAGES: dict[str, Callable[[RunFolder, int], None]] = {"train": train_run, "score": score_run}

if __name__ == "__main__":
    _, stage, path, gpu_id = sys.argv
    folder = RunFolder(Path(path))
    with locked(folder.stage_lock):
        use_device(int(gpu_id))
        STAGES[stage](folder, int(gpu_id))
