"""A folder of experiments with made-up runs: gold with mistakes in it, as if pipelines had been trained."""

import json
import random
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from spacy.util import load_config

from spacy_medflat.corpus.record import Entity
from spacy_medflat.experiments.config import overridden
from spacy_medflat.experiments.folder import RunFolder
from spacy_medflat.experiments.predictions import write_predictions
from spacy_medflat.experiments.scores import score, text_counts
from spacy_medflat.experiments.texts import AnnotatedTexts, read_texts
from spacy_medflat.files import write_json

from ...pipelines import DATA

ROOT = Path(__file__).resolve().parents[3]
LABELS = ["bod", "dep", "dis", "dru", "equ", "ite", "mic", "pro", "sym"]


def mistaken(texts: AnnotatedTexts, right: float, seed: int) -> list[dict[Entity, float]]:
    """Scored spans: of the gold, so many with a good score, the others moved, renamed or with a poor score."""
    draw = random.Random(seed)
    predictions = []
    for text, gold in zip(texts.texts, texts.gold, strict=True):
        spans: dict[Entity, float] = {}
        for entity in sorted(gold, key=lambda e: (e.start, e.end, e.label)):
            found = entity
            if draw.random() > right:
                kind = draw.choice(["boundary", "type", "spurious", "missed"])
                if kind == "boundary":
                    found = Entity(entity.start, min(entity.end + 1, len(text)), entity.label)
                elif kind == "type":
                    found = Entity(entity.start, entity.end, draw.choice(LABELS))
                elif kind == "spurious":
                    spans[Entity(0, min(3, len(text)), draw.choice(LABELS))] = round(draw.uniform(0.5, 0.8), 4)
                else:
                    spans[entity] = round(draw.uniform(0.03, 0.5), 4)
                    continue
            spans[found] = round(draw.uniform(0.51, 1.0), 4)
        predictions.append(spans)
    return predictions


def write_run(
    output: Path, row: str, seed: int, right: float, dev: Path = DATA / "dev.json", **extra: Any
) -> RunFolder:
    """A run that is done. extra: More settings of its config, by dotted names, with a double underscore for a dot."""
    folder = RunFolder.of(output, row, seed)
    folder.path.mkdir(parents=True)
    config = load_config(ROOT / "configs" / "encoder_only.cfg", interpolate=False)
    settings = {"paths.train": str(DATA / "train.json"), "paths.dev": str(dev), "system.seed": seed}
    settings |= {name.replace("__", "."): value for name, value in extra.items()}
    overridden(config, settings).to_disk(folder.config)
    write_json(folder.row, {"max_length": 0, "scored": "best", "settings": {"mixed_precision": True}})
    texts = read_texts({"path": dev})
    predictions = mistaken(texts, right, 100 * seed + int(1000 * right))
    write_predictions(folder.predictions, texts.ids, predictions)
    found = [{entity for entity, value in spans.items() if value > 0.5} for spans in predictions]
    final = score(text_counts(texts.gold, found)).f
    steps = range(0, 1793, 448)
    lines = [{"started": 1.0, "step": s, "score": final * (1 - 0.5 ** (s / 448)), "seconds": s} for s in steps]
    folder.log.write_text("".join(f"{json.dumps(line)}\n" for line in lines), encoding="utf8")
    packages = {"spacy": "3.8.0", "torch": "2.9.0"}
    machine = {"python": "3.11.0", "system": "Linux x86_64", "cores": 2, "threads": 2, "cpu_flags": [], "gpu": None}
    write_json(folder.environment, {**machine, "packages": packages, "steps": 1792, "seconds": 1792 + seed})
    thresholds = dict.fromkeys(LABELS, 0.5)
    write_json(folder.scores, {"thresholds": thresholds, "nesting": "all", "checksum": texts.checksum})
    return folder


def write_experiments(output: Path, rows: Mapping[str, tuple[float, list[int]]], **extra: Any) -> Path:
    """A folder with these rows, each with its share of right spans and its seeds, and one row that was not run.

    The first row is the baseline.
    """
    baseline = next(iter(rows))
    index = [
        {"name": name, "title": f"The row {name}", "seeds": seeds, "against": baseline, "missing": ""}
        for name, (_, seeds) in rows.items()
    ]
    large = {"name": "large", "title": "A large encoder", "seeds": [0], "against": baseline, "missing": "needs a GPU"}
    write_json(
        output / "experiments.json",
        {
            "matrix": "configs/experiments.yml",
            "baseline": baseline,
            "variables": ["dev", "train"],
            "rows": [*index, large],
        },
    )
    for name, (right, seeds) in rows.items():
        for seed in seeds:
            write_run(output, name, seed, right, **extra)
    return output
