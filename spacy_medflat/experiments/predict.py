"""Scoring a trained run, in a process of its own: `python -m spacy_medflat.experiments.predict FOLDER GPU_ID`."""

from __future__ import annotations

import sys
from pathlib import Path

import spacy
from spacy.cli._util import setup_gpu
from spacy.util import load_config

from ..corpus.atomic import write_json
from ..ner.component import NestedEntityRecognizer
from ..ner.floor import FLOOR, candidates_of
from .folder import RunFolder, read_json
from .matrix import ExperimentError
from .predictions import passing, scored_spans, write_predictions
from .scores import score, text_counts
from .texts import read_texts


def score_run(folder: RunFolder) -> None:
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
            "floor": FLOOR,
            "thresholds": thresholds,
            "nesting": nesting,
            "texts": len(texts),
            "checksum": texts.checksum,
        },
    )


if __name__ == "__main__":
    setup_gpu(int(sys.argv[2]), silent=True)
    score_run(RunFolder(Path(sys.argv[1])))
