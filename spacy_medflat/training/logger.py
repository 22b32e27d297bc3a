"""`spacy_medflat.ConsoleLogger.v1`: spaCy's training table with the adversarial losses beside the clean ones."""

import json
import math
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any, NamedTuple

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
    """
    path = Path(output_file) if output_file else None

    def setup(nlp: Language, stdout: IO = sys.stdout, stderr: IO = sys.stderr) -> tuple[LogStep, Callable[[], None]]:
        started = time.time()
        shown: Any = _View.of(nlp)
        log_table, finish = console_logger_v3(progress_bar, console_output)(shown, stdout, stderr)
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)

        def log_step(info: dict[str, Any] | None) -> None:
            if info is not None and path is not None:
                with path.open("a", encoding="utf8") as file:
                    file.write(json.dumps(_clean({"started": started, **_line(info)}), ensure_ascii=False) + "\n")
            log_table(None if info is None else {**info, "losses": shown.losses(info["losses"])})

        return log_step, finish

    return setup


class _Column(NamedTuple):
    is_trainable: bool = True


class _View(NamedTuple):
    """What spaCy's logger reads of a pipeline: one loss column for each trainable pipe."""

    pipeline: list[tuple[str, Any]]
    config: Any

    @classmethod
    def of(cls, nlp: Language) -> "_View":
        columns: list[tuple[str, Any]] = []
        for name, pipe in nlp.pipeline:
            if getattr(pipe, "is_trainable", False):
                columns.append((name, _Column()))
                if isinstance(nlp.update, AdversarialUpdate):
                    columns.append((f"{PREFIX}{name}", _Column()))
        return cls(columns, nlp.config)

    def losses(self, losses: dict[str, float]) -> dict[str, float]:
        """The loss of each column; a component without one has NaN."""
        names = [name for name, _ in self.pipeline]
        keys = [f"{name.removeprefix(PREFIX)}{SUFFIX}" if name.startswith(PREFIX) else name for name in names]
        return {name: losses.get(key, math.nan) for name, key in zip(names, keys, strict=True)}


def _line(info: dict[str, Any]) -> dict[str, Any]:
    names = ("step", "epoch", "seconds", "words", "losses", "score")
    return {**{name: info.get(name) for name in names}, "scores": info["other_scores"]}


def _clean(value: Any) -> Any:
    """The value as JSON can say it: numbers of NumPy as Python's, NaN and infinity as null."""
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
