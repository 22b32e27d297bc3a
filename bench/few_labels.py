"""What notes are worth beside few labels: F1 of labels alone, with pretraining, with self-training, and with both.

    python -m bench.few_labels WORK --config CONFIG --encoder FOLDER --pretrained FOLDER --train TEXTS --dev TEXTS

The first texts of the shuffled train texts are the labels, and all train texts, without their annotations, the notes
of the teacher. CONFIG is one with FLAT; its words serve the calibration. Of the dev texts some are scored, fitted on
one half and scored on the other, and those after them calibrate the teacher.

A row is printed when it is done. What is done stays in WORK: the same command goes on where it was.
"""

import json
import os
import random
import subprocess
import sys
from pathlib import Path
from typing import Annotated, NamedTuple

import typer

from bench.training import Training, numbers, written_once
from spacy_medflat.corpus.check import read_checked
from spacy_medflat.corpus.record import Record

# Whether the encoder has read the notes, and whether a teacher labels them.
ARMS = {"labels": (False, False), "pretrained": (True, False), "taught": (False, True), "both": (True, True)}
HALF_PRECISION = ("transformer.model", "medflat_ner.model.tok2vec")


class Texts(NamedTuple):
    """The texts of all runs.

    work (Path): the folder of all runs.
    labelled (list of Record): what the labels are taken from.
    notes, scored, calibration, held_out (Path): what the teacher labels; dev texts to score and to calibrate on; all
        dev texts, which the teacher must not label.
    """

    work: Path
    labelled: list[Record]
    notes: Path
    scored: Path
    calibration: Path
    held_out: Path


def main(
    work: Annotated[Path, typer.Argument(help="Folder for all runs, which stay there.")],
    config: Annotated[Path, typer.Option(help="Config of the trainings, with words in its lattice.")],
    encoder: Annotated[str, typer.Option(help="Encoder, with weights.")],
    train: Annotated[Path, typer.Option(help="Annotated texts.")],
    dev: Annotated[Path, typer.Option(help="Annotated texts to score and to calibrate on.")],
    pretrained: Annotated[str, typer.Option(help="The encoder after `spacy medflat pretrain` on the notes.")] = "",
    arm: Annotated[list[str] | None, typer.Option(help=f"Of {', '.join(ARMS)}.")] = None,
    seed: Annotated[list[int] | None, typer.Option(help="Of the labels and the trainings.")] = None,
    sizes: Annotated[str, typer.Option(help="Labelled texts.")] = "100,300,500",
    steps: Annotated[str, typer.Option(help="Steps of training with each number of labelled texts.")] = "200,400,500",
    student_steps: Annotated[int, typer.Option(help="Steps of training of a student.")] = 600,
    count: Annotated[int, typer.Option(help="Notes that a teacher labels.")] = 3000,
    sure: Annotated[float, typer.Option(help="From which score on a span is an entity.")] = 0.8,
    weight: Annotated[float, typer.Option(help="What the loss of a note is multiplied by.")] = 0.5,
    dev_texts: Annotated[int, typer.Option(help="Texts to score on, the first ones.")] = 2500,
    calibration_texts: Annotated[int, typer.Option(help="Those after them, to calibrate on.")] = 200,
    mixed_precision: Annotated[bool, typer.Option("--mixed-precision", help="Train in half precision.")] = False,
    threads: Annotated[int, typer.Option(help="Threads of torch.")] = 1,
) -> None:
    """Train, teach and score with each number of labels, seed and arm."""
    os.environ.update(OMP_NUM_THREADS=str(threads), MKL_NUM_THREADS=str(threads))
    possible = [name for name, (reads, _) in ARMS.items() if pretrained or not reads]
    arms = arm or possible
    if unknown := set(arms) - set(possible):
        raise typer.BadParameter(
            f"{', '.join(unknown)}: not of {', '.join(possible)}; two of the arms need --pretrained"
        )
    records = [record for record in read_checked(train)[0] if record.text.strip()]
    clean = [record for record in read_checked(dev)[0] if record.text.strip()]
    texts = Texts(
        work,
        records,
        written_once((Record(record.text, []) for record in records), work / "notes.jsonl"),
        written_once(clean[:dev_texts], work / "scored.jsonl"),
        written_once(clean[dev_texts : dev_texts + calibration_texts], work / "calibration.jsonl"),
        dev,
    )
    teaching = ["--count", str(count), "--sure", str(sure), "--weight", str(weight)]
    half = HALF_PRECISION if mixed_precision else ()
    encoders = {False: encoder, True: pretrained}
    trainings = {reads: Training(config, name, texts.calibration, half) for reads, name in encoders.items()}
    print(f"{'texts':>6} {'seed':>4} {'arm':10} {'head':>6} {'words':>6}", flush=True)
    for size, some_steps in zip(numbers(sizes), numbers(steps), strict=True):
        for number in seed or [0, 1, 2]:
            for name in arms:
                reads, taught = ARMS[name]
                training = trainings[reads]
                labels = _labels(texts, size, number)
                run = work / f"{size}-s{number}-{'pretrained' if reads else 'labels'}"
                model = training.run(labels, run, some_steps, number)
                if taught:
                    silver = _taught(texts, model, labels, teaching, run.with_name(f"{run.name}-silver.spacy"))
                    model = training.run(silver, run.with_name(f"{run.name}-taught"), student_steps, number)
                head, words = _score(model, texts.scored)
                print(f"{size:6} {number:4} {name:10} {head:6.2f} {words:6.2f}", flush=True)


def _labels(texts: Texts, size: int, seed: int) -> Path:
    shuffled = list(texts.labelled)
    random.Random(1 + seed).shuffle(shuffled)
    return written_once(shuffled[:size], texts.work / f"{size}-s{seed}.jsonl")


def _taught(texts: Texts, teacher: Path, labels: Path, options: list[str], output: Path) -> Path:
    """The labels, and behind them the notes as the teacher labels them."""
    if not output.exists():
        calibrated = teacher.with_name("model-calibrated")
        if not calibrated.exists():
            _medflat("calibrate", teacher, texts.calibration, "--output", calibrated)
        kept = ("--with", labels, "--without", texts.held_out, *options)
        _medflat("self-train", calibrated, texts.notes, "-o", output, *kept)
    return output


def _score(model: Path, scored: Path) -> tuple[float, float]:
    """F1 in percent of the head as it is, and with words and training texts."""
    report = model.with_name("report.json")
    if not report.exists():
        _medflat("calibrate", model, scored, "--report", report)
    rows = json.loads(report.read_text(encoding="utf8"))["rows"]
    return 100 * rows["head"]["f1"], 100 * rows["evidence"]["f1"]


def _medflat(*arguments: object) -> None:
    subprocess.run(
        [sys.executable, "-m", "spacy", "medflat", *map(str, arguments)], check=True, stdout=subprocess.DEVNULL
    )


if __name__ == "__main__":
    typer.run(main)
