"""`medflat calibrate`: scores that are frequencies, with the evidence of words and training texts."""

import math
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from spacy.language import Language
from spacy.pipeline.functions import DocCleaner
from spacy.training import Example

from ..errors import MedflatError, amount
from ..experiments.scores import Difference, difference, sample_rows
from ..files import replaced_when_done, write_json, write_text
from ..ner.calibrate import Fitted, HeldOut, fit_calibrator
from ..ner.calibrator import LOWEST
from ..ner.component import NestedEntityRecognizer
from ..ner.gold import read_gold
from ..ner.span_finder import candidates_of
from ..training.cross_fit import train_without_folds
from ..visual.calibration_page import CalibrationRow, render_calibration
from ..visual.charts import check_matplotlib
from .common import Code, GpuId, check_apart, check_output, friendly_errors, load_pipeline, read_examples, say, table
from .progress import counted

_ROWS = {
    "head": "the head as it is",
    "logit": "calibrated on its logit alone",
    "evidence": "with words and training texts",
}


def calibrate(
    model: Annotated[str, typer.Argument(help="Package name or folder of a trained pipeline.")],
    data: Annotated[Path, typer.Argument(help="Held-out annotated texts: not those of the training, and not test.")],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Folder to save the pipeline in, calibrated.")
    ] = None,
    words_key: Annotated[str, typer.Option(help="Span group of the words.")] = "lattice",
    folds: Annotated[
        int | None, typer.Option(help="DATA are the training texts: train a pipeline without each of so many folds.")
    ] = None,
    work: Annotated[Path | None, typer.Option(help="Folder for the pipelines of --folds, which stay there.")] = None,
    min_gold: Annotated[int, typer.Option(help="Labels with fewer gold spans keep their threshold.")] = 20,
    report: Annotated[Path | None, typer.Option(help="JSON file for scores, thresholds and reliability.")] = None,
    page: Annotated[Path | None, typer.Option(help="HTML file for the same, with a reliability diagram.")] = None,
    code: Code = None,
    gpu_id: GpuId = -1,
) -> None:
    """Fit on held-out texts what the head, the words and the training texts say together; choose thresholds.

    The scores of the pipeline are then frequencies on texts like these. Everything is also fitted on one half of the
    texts and scored on the other: words are used if they help there. Texts of the training are left out.

    Without held-out texts, give those of the training, --folds and --work: for each fold a pipeline is trained on the
    others as the config of MODEL says, and reads the fold. A killed command goes on where it was.
    """
    with friendly_errors():
        check_output(output)
        check_apart([output, report, page], [data])
        if page:
            check_matplotlib()
        nlp, finder = load_pipeline(model, gpu_id, code=code)
        if not isinstance(finder, NestedEntityRecognizer):
            raise MedflatError(f"{model}: only a 'medflat_ner' can be calibrated; calibrate the members of an ensemble")
        finder.calibrator = None
        examples = read_examples(nlp, data, finder.key)
        if not folds:
            examples = _held_out(finder, examples, data)
        elif not work:
            raise MedflatError("--folds needs --work: a folder for the pipelines")
        gold, coverage = read_gold(examples, finder.key, finder.labels)
        if not len(gold.doc):
            raise MedflatError(f"{data}: none of these texts has a span with a label of the pipeline")
        if folds and work:
            parts = list(_folds(nlp, finder, examples, folds, work, gpu_id))
        else:
            parts = _read(nlp, finder, examples).halves()
        if without := sum(words_key not in doc.spans for part in parts for doc in part.docs):
            _warn(f"{amount(without, 'text')} without the span group {words_key!r}")
        now = {label: finder.threshold_of(label) for label in finder.labels}
        unreachable = coverage.gold - len(gold.doc)
        try:
            fitted = fit_calibrator(parts, gold, now, words_key, unreachable=unreachable, min_gold=min_gold)
        except ValueError as error:
            raise MedflatError(f"{data}: {error}") from error
        tuning = fitted.rows[fitted.chosen].tuning
        thresholds = {label: round(t, 10) for label, t in zip(finder.labels, tuning.thresholds, strict=True)}
        gain = _gain(fitted)
        _print(fitted, data, gain)
        say(", ".join(f"{label} {threshold:.3f}" for label, threshold in thresholds.items()))
        if report:
            rows = {
                name: {"f1": row.f1, "tuning": asdict(row.tuning), "reliability": asdict(row.reliability)}
                for name, row in fitted.rows.items()
            }
            write_json(report, {"chosen": fitted.chosen, "gain": asdict(gain) if gain else None, "rows": rows})
        if page:
            shown = [
                CalibrationRow(_ROWS[name], row.f1, row.reliability, name == fitted.chosen)
                for name, row in fitted.rows.items()
            ]
            note = f"{amount(len(examples), 'text')} with {amount(coverage.gold, 'gold span')}: {data.name}"
            write_text(page, render_calibration(f"Calibration of {model}", note, shown, thresholds, _told(gain)))
        if output:
            finder.calibrator = fitted.calibrator
            finder.cfg["label_thresholds"] = thresholds
            with replaced_when_done(output, force=True) as scratch:
                nlp.to_disk(scratch)
            say(f"saved to {output}")


def _gain(fitted: Fitted) -> Difference | None:
    """What words and training texts add to the logit alone; None if there are none."""
    if "evidence" not in fitted.rows:
        return None
    rows = sample_rows({name: [fitted.rows[name].counts] for name in ("evidence", "logit")})
    return difference(rows["evidence"], rows["logit"])


def _told(gain: Difference | None) -> str:
    if gain is None:
        return ""
    mean, low, high = (f"{100 * value:+.2f}" for value in (gain.mean, gain.low, gain.high))
    return f"words and training texts: {mean} F1 (95 %: {low} to {high}, paired bootstrap over texts)"


def _print(fitted: Fitted, data: Path, gain: Difference | None) -> None:
    rows = [[_ROWS[name], f"{100 * row.f1:.2f}", f"{row.reliability.error:.4f}"] for name, row in fitted.rows.items()]
    head = ["scored on the other half", "F1", "calibration error"]
    say(table(head, rows, title=str(data), bold=_ROWS[fitted.chosen]))
    if gain:
        say(_told(gain))


def _held_out(recognizer: NestedEntityRecognizer, examples: list[Example], data: Path) -> list[Example]:
    """The examples whose texts the pipeline was not trained on, as far as it knows."""
    texts = recognizer.training_texts
    if texts is None:
        _warn("the pipeline does not know its training texts; make sure that these are others")
        return examples
    new = [example for example in examples if not texts.know(example.reference.text)]
    if not new:
        raise MedflatError(f"{data}: the pipeline was trained on all of these texts; give others")
    if len(new) < len(examples):
        _warn(f"{amount(len(examples) - len(new), 'text')} left out, because the pipeline was trained on them")
    return new


def _folds(
    nlp: Language, recognizer: NestedEntityRecognizer, examples: list[Example], folds: int, work: Path, gpu_id: int
) -> Iterator[HeldOut]:
    labels = {recognizer.name: recognizer.labels}
    of_folds = train_without_folds(nlp.config, examples, folds, work, labels=labels, gpu_id=gpu_id, report=say)
    for index, of_fold in of_folds:
        pipe: Any = of_fold.get_pipe(recognizer.name)
        yield replace(_read(of_fold, pipe, [examples[i] for i in index]), index=np.array(index))


def _read(nlp: Language, recognizer: NestedEntityRecognizer, examples: list[Example]) -> HeldOut:
    """The texts with their words, and what the head finds in each."""
    texts = counted([example.reference.text for example in examples], "reading")
    # A Doc would keep its encoder output, which fills the memory.
    clean = DocCleaner({"tensor": None, "_.trf_data": None}, silent=True)
    lowest = 1 / (1 + math.exp(-LOWEST))
    docs, found = [], []
    for doc, candidates in candidates_of(nlp, recognizer, texts, lowest):
        docs.append(clean(doc))
        found.append(candidates)
    return HeldOut(np.arange(len(docs)), docs, found, recognizer.training_texts)


def _warn(message: str) -> None:
    say(f"Warning: {message}", "yellow")
