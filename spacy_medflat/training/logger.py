"""`spacy_medflat.ConsoleLogger.v1`: spaCy's training table with the adversarial losses beside the clean ones."""

import json
import math
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import IO, Any

from spacy.language import Language
from spacy.training.loggers import console_logger_v3
from spacy.util import registry

from .adversarial.update import SUFFIX, AdversarialUpdate

LogStep = Callable[[dict[str, Any] | None], None]
# spaCy cuts headers at 13 characters, so what tells the columns apart stands first.
PREFIX = "adv "


@registry.loggers("spacy_medflat.ConsoleLogger.v1")
def create_console_logger(
    progress_bar: str | None = None, console_output: bool = True, output_file: str | Path | None = None
) -> Callable[[Language, IO, IO], tuple[LogStep, Callable[[], None]]]:
    """Make the logger.

    progress_bar (str or None): `train` or `eval`, as in spaCy's `ConsoleLogger.v3`.
    console_output (bool): print the table.
    output_file (str or None): a JSONL file. Each evaluation adds one line: step, epoch, seconds, words, the losses
        summed since the line before, all scores (0 to 1), the main score, and when this attempt started (seconds since
        1970). A file that is there is continued.
    RETURNS (callable): sets up the logger for a pipeline.
    """
    path = Path(output_file) if output_file else None

    def setup(nlp: Language, stdout: IO = sys.stdout, stderr: IO = sys.stderr) -> tuple[LogStep, Callable[[], None]]:
        started = time.time()
        columns = _loss_columns(nlp)
        # What spaCy's logger reads of a pipeline: a column for the loss of each trainable component.
        pipes = [(name, SimpleNamespace(is_trainable=True)) for name in columns]
        shown: Any = SimpleNamespace(pipeline=pipes, config=nlp.config)
        log_table, finish = console_logger_v3(progress_bar, console_output)(shown, stdout, stderr)
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)

        def log_step(info: dict[str, Any] | None) -> None:
            if info is not None and path is not None:
                with path.open("a", encoding="utf8") as file:
                    file.write(json.dumps(_clean({"started": started, **_line(info)}), ensure_ascii=False) + "\n")
            if info is not None:
                # NaN for a component without a loss.
                info = {**info, "losses": {name: info["losses"].get(key, math.nan) for name, key in columns.items()}}
            log_table(info)

        return log_step, finish

    return setup


def _loss_columns(nlp: Language) -> dict[str, str]:
    """The name of each column, and the key of its loss."""
    columns = {}
    for name, pipe in nlp.pipeline:
        if getattr(pipe, "is_trainable", False):
            columns[name] = name
            if isinstance(nlp.update, AdversarialUpdate):
                columns[f"{PREFIX}{name}"] = f"{name}{SUFFIX}"
    return columns


def _line(info: dict[str, Any]) -> dict[str, Any]:
    names = ("step", "epoch", "seconds", "words", "losses", "score")
    return {**{name: info.get(name) for name in names}, "scores": info["other_scores"]}


def _clean(value: Any) -> Any:
    """The value as JSON can hold it: numbers of NumPy as Python's, NaN and infinity as null."""
    if isinstance(value, dict):
        return {str(key): _clean(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_clean(item) for item in value]
    if isinstance(value, str | bool | int) or value is None:
        return value
    try:
        number = float(value)
    except (TypeError, ValueError):
        return str(value)
    return number if math.isfinite(number) else None
