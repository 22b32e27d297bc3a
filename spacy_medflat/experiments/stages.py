"""The stages of a run, each a process of its own: `python -m spacy_medflat.experiments.stages STAGE FOLDER GPU_ID`."""

import sys
from collections.abc import Callable
from pathlib import Path

import spacy
import torch
from spacy.training.initialize import init_nlp
from spacy.util import load_config

from .._internals import show_validation_error
from ..errors import ExperimentError
from ..files import read_json, write_json
from ..ner.component import NestedEntityRecognizer
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


def score_run(folder: RunFolder, gpu_id: int = -1) -> None:
    """Write the predictions of a run's pipeline, the best or the last, on the dev texts, then its scores.

    A row with a `max_length` reads so many characters of each text; the gold behind them counts as missed. Thresholds
    and nesting are those of the pipeline.
    RAISES (ExperimentError): There is no text to score, or no recognizer in the pipeline.
    """
    corpora = load_config(folder.config, interpolate=True)["corpora"]
    row = read_json(folder.row)
    max_length = row["max_length"] or None
    model = folder.training / f"model-{row['scored']}"
    texts = read_texts(corpora["dev"])
    nlp = spacy.load(model)
    recognizer = next((pipe for _, pipe in nlp.pipeline if isinstance(pipe, NestedEntityRecognizer)), None)
    if recognizer is None:
        raise ExperimentError(f"{model} has no 'medflat_ner' component; it has {', '.join(nlp.pipe_names)}")
    found = candidates_of(nlp, recognizer, (text[:max_length] for text in texts.texts))
    predictions = [scored_spans(doc, candidates, recognizer.labels) for doc, candidates in found]
    write_predictions(folder.predictions, texts.ids, predictions)
    thresholds = {label: recognizer.threshold_of(label) for label in recognizer.labels}
    nesting = recognizer.cfg["nesting"]
    counts = text_counts(texts.gold, [passing(spans, thresholds, nesting) for spans in predictions])
    total = score(counts)
    hits, wanted, gold = counts.sum(axis=0).tolist()
    write_json(
        folder.scores,
        {
            "p": total.p,
            "r": total.r,
            "f": total.f,
            "hits": hits,
            "found": wanted,
            "gold": gold,
            "floor": LOWEST_SCORE,
            "thresholds": thresholds,
            "nesting": nesting,
            "texts": len(texts),
            "checksum": texts.checksum,
        },
    )


STAGES: dict[str, Callable[[RunFolder, int], None]] = {"train": train_run, "score": score_run}

if __name__ == "__main__":
    _, stage, path, gpu_id = sys.argv
    use_device(int(gpu_id))
    STAGES[stage](RunFolder(Path(path)), int(gpu_id))
