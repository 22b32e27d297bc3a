"""What choosing texts is worth: F1 after training on chosen texts, and on as many random ones.

    python -m bench.selection WORK --encoder FOLDER --train CMeEE_train.json --dev CMeEE_dev.json

Annotated texts play the notes, and their annotations the annotators. A first pipeline is trained on random texts;
then, in rounds, texts are added that the last pipeline chose, or random ones, and another is trained on all. F1 is that
of the dev texts, with thresholds chosen on one half of them and scored on the other, both ways.

A row is printed when it is done. What is done stays in WORK: the same command goes on where it was.
"""

import json
import os
import random
import subprocess
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from statistics import mean
from time import perf_counter
from typing import Annotated, Any, NamedTuple

import spacy
import typer

from bench.training import Training, numbers, written_once
from spacy_medflat.corpus.check import read_checked
from spacy_medflat.corpus.formats.registry import write_records
from spacy_medflat.corpus.reader import create_cmeee_reader
from spacy_medflat.corpus.record import Record
from spacy_medflat.files import write_json
from spacy_medflat.loading import first_span_finder
from spacy_medflat.ner.gold import read_gold
from spacy_medflat.ner.span_finder import candidates_of
from spacy_medflat.ner.thresholds import tune
from spacy_medflat.scale.items import Document
from spacy_medflat.selection.choose import Scored, choose
from spacy_medflat.selection.duplicates import NearDuplicates
from spacy_medflat.selection.reading import Reader, read_notes
from spacy_medflat.selection.select import balanced

CONFIG = Path(__file__).parents[1] / "configs" / "encoder_only.cfg"


class Setting(NamedTuple):
    """What the runs have in common.

    work (Path): the folder of all runs.
    encoder (str): name or folder.
    texts (list of Record): the annotated texts to choose from.
    dev (Path): the texts to score on.
    calibration (Path): the texts to calibrate on before a choice, for the strategy that does so.
    pool (int): texts that a pipeline reads to choose from.
    mixed_precision (bool): whether to train and read in half precision.
    """

    work: Path
    encoder: str
    texts: list[Record]
    dev: Path
    calibration: Path
    pool: int
    mixed_precision: bool


# Of the indices of a pool, so many, by the pipeline of the last round; those that are annotated; a seed.
Strategy = Callable[[Setting, Path, list[int], int, list[int], int], list[int]]


def by_chance(_: Setting, __: Path, pool: list[int], count: int, ___: list[int], ____: int) -> list[int]:
    """The first of a pool, which is shuffled."""
    return pool[:count]


def by_choice(
    setting: Setting,
    model: Path,
    pool: list[int],
    count: int,
    labelled: list[int],
    seed: int,
    balance: bool = True,
    spread: bool = True,
) -> list[int]:
    """What `spacy medflat select` chooses, or less of it."""
    nlp = spacy.load(model)
    reader = Reader(nlp, first_span_finder(nlp, model), model.name)
    texts = [setting.texts[i].text for i in pool]
    found = read_notes(reader, [Document(text, {}, None, "") for text in texts])
    read = {i: note for i, note in found if not isinstance(note, str)}
    order = sorted(read)
    notes = [read[i] for i in order]
    scored = balanced(notes, count) if balance else [Scored(note.document.text, note.uncertainty) for note in notes]
    seen = NearDuplicates(setting.texts[i].text for i in labelled)
    return [pool[order[i]] for i in choose(scored, count, seed, seen, spread).chosen]


def by_calibrated_choice(
    setting: Setting, model: Path, pool: list[int], count: int, labelled: list[int], seed: int
) -> list[int]:
    """The same, with the pipeline calibrated first."""
    calibrated = model.with_name("model-calibrated")
    if not calibrated.exists():
        command = ["-m", "spacy", "medflat", "calibrate", model, setting.calibration, "--output", calibrated]
        subprocess.run([sys.executable, *map(str, command)], check=True, stdout=subprocess.DEVNULL)
    return by_choice(setting, calibrated, pool, count, labelled, seed)


def spread_alone(setting: Setting, _: Path, pool: list[int], count: int, labelled: list[int], seed: int) -> list[int]:
    """Spread over groups, whatever the pipeline says."""
    texts = [setting.texts[i].text for i in pool]
    seen = NearDuplicates(setting.texts[i].text for i in labelled)
    return [pool[i] for i in choose([Scored(text, 1.0) for text in texts], count, seed, seen).chosen]


STRATEGIES: dict[str, Strategy] = {
    "random": by_chance,
    "select": by_choice,
    "calibrated": by_calibrated_choice,
    "unbalanced": partial(by_choice, balance=False),
    "unsure": partial(by_choice, balance=False, spread=False),
    "spread": spread_alone,
}


def main(
    work: Annotated[Path, typer.Argument(help="Folder for all runs, which stay there.")],
    encoder: Annotated[str, typer.Option(help="Encoder, with weights.")],
    train: Annotated[Path, typer.Option(help="Annotated texts to choose from.")],
    dev: Annotated[Path, typer.Option(help="Annotated texts to score on.")],
    strategy: Annotated[list[str] | None, typer.Option(help=f"Of {', '.join(STRATEGIES)}.")] = None,
    seed: Annotated[list[int] | None, typer.Option(help="Of the first texts, the pools and the trainings.")] = None,
    sizes: Annotated[str, typer.Option(help="Texts of each round.")] = "100,200,350,500",
    steps: Annotated[str, typer.Option(help="Steps of training of each round.")] = "200,300,400,500",
    pool: Annotated[int, typer.Option(help="Texts that a pipeline reads to choose from; 0 for all.")] = 5000,
    dev_texts: Annotated[int, typer.Option(help="Texts to score on, the first ones.")] = 2500,
    calibration_texts: Annotated[int, typer.Option(help="Those after them, to calibrate on.")] = 200,
    mixed_precision: Annotated[
        bool, typer.Option("--mixed-precision", help="Train and read in half precision.")
    ] = False,
    threads: Annotated[int, typer.Option(help="Threads of torch.")] = 1,
) -> None:
    """Train in rounds with each strategy and seed."""
    import torch

    torch.set_num_threads(threads)
    os.environ.update(OMP_NUM_THREADS=str(threads), MKL_NUM_THREADS=str(threads))
    rounds = list(zip(numbers(sizes), numbers(steps), strict=True))
    names = strategy or ["random", "select"]
    records = [record for record in read_checked(train)[0] if record.text.strip()]
    clean = list(read_checked(dev)[0])
    scored = written_once(clean[:dev_texts], work / "dev.jsonl")
    calibration = written_once(clean[dev_texts : dev_texts + calibration_texts], work / "calibration.jsonl")
    setting = Setting(work, encoder, records, scored, calibration, pool, mixed_precision)
    print(
        f"{'strategy':10} {'seed':>4} {'texts':>6} {'characters':>10} {'entities':>8} {'F1':>7} {'seconds':>8}",
        flush=True,
    )
    scores: dict[tuple[str, int], list[float]] = {}
    for number in seed or [0, 1]:
        for name in names:
            for size, result in zip(numbers(sizes), _rounds(setting, name, number, rounds), strict=True):
                scores.setdefault((name, size), []).append(result["f1"])
    for size, _ in rounds:
        print(f"{size:6} " + ", ".join(f"{name} {mean(scores[name, size]):.2f}" for name in names))


def _rounds(setting: Setting, strategy: str, seed: int, rounds: Sequence[tuple[int, int]]) -> list[dict[str, Any]]:
    results: list[dict[str, Any]] = []
    chosen: list[int] = []
    model = Path()
    for size, steps in rounds:
        # The first round is the same for all strategies.
        run = setting.work / (f"{strategy if chosen else 'first'}-s{seed}-{size}")
        texts, result = run / "texts.json", run / "result.json"
        if not texts.exists():
            write_json(texts, {"texts": _next_texts(setting, strategy, seed, chosen, size, model)})
        chosen = json.loads(texts.read_text(encoding="utf8"))["texts"]
        model = run / "model" / "model-last"
        if not result.exists():
            begin = perf_counter()
            if not model.exists():
                _train(setting, run, chosen, steps, seed)
            records = [setting.texts[i] for i in chosen]
            figures = {
                "strategy": strategy,
                "seed": seed,
                "size": size,
                "steps": steps,
                "characters": sum(len(record.text) for record in records),
                "entities": sum(len(record.entities) for record in records),
                **_score(model, setting.dev),
            }
            write_json(result, {**figures, "seconds": perf_counter() - begin})
        results.append(json.loads(result.read_text(encoding="utf8")))
        row = results[-1]
        print(
            f"{strategy:10} {seed:4} {size:6} {row['characters']:10,} {row['entities']:8,} {row['f1']:7.2f} "
            f"{row['seconds']:8.0f}",
            flush=True,
        )
    return results


def _next_texts(setting: Setting, strategy: str, seed: int, chosen: list[int], size: int, model: Path) -> list[int]:
    """The texts of a round: those of the last one, and others."""
    rest = sorted(set(range(len(setting.texts))) - set(chosen))
    random.Random(f"{seed} {size}").shuffle(rest)
    if not chosen:
        return rest[:size]
    pool = rest[: setting.pool or None]
    return [*chosen, *STRATEGIES[strategy](setting, model, pool, size - len(chosen), chosen, seed)]


def _train(setting: Setting, run: Path, chosen: list[int], steps: int, seed: int) -> None:
    data, few = run / "train.jsonl", run / "few.jsonl"
    write_records((setting.texts[i] for i in chosen), data, "jsonl")
    lines = setting.dev.read_text(encoding="utf8").splitlines(keepends=True)
    few.write_text("".join(lines[:50]), encoding="utf8")
    half = ("transformer.model",) if setting.mixed_precision else ()
    Training(CONFIG, setting.encoder, few, half).run(data, run / "model", steps, seed)


def _score(model: Path, dev: Path) -> dict[str, Any]:
    """F1 in percent on the halves of the dev texts, the best kind of thresholds of three."""
    nlp = spacy.load(model)
    finder = first_span_finder(nlp, model)
    examples = list(create_cmeee_reader(dev, spans_key=finder.key)(nlp))
    gold, coverage = read_gold(examples, finder.key, finder.labels)
    found = [candidates for _, candidates in candidates_of(nlp, finder, [eg.reference.text for eg in examples])]
    current = [finder.threshold_of(label) for label in finder.labels]
    tuning = tune(found, gold, current, unreachable=coverage.gold - len(gold.doc))
    other_half = {name: 100 * value for name, value in tuning.other_half.items()}
    return {"f1": max(other_half.values()), "other_half": other_half, "labels": list(finder.labels)}


if __name__ == "__main__":
    typer.run(main)
