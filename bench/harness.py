"""Running the sides of a comparison alternately, and reporting what they took."""

import json
import statistics
from collections.abc import Callable, Sequence
from pathlib import Path
from time import perf_counter
from typing import Any

import torch
from rich.console import Console
from rich.table import Table
from spacy.language import Language
from spacy.tokens import Doc

from spacy_medflat.experiments.environment import describe_environment


def interleave(
    sides: dict[str, Callable[[], None]],
    n_chars: int,
    rounds: int,
    warm_up: int,
    clock: Callable[[], float] = perf_counter,
) -> dict[str, list[float]]:
    """Characters a second of each side in each round; the rounds of the warm-up do not count.

    sides (dict of callables): one pass over the texts, by the name of the side.
    n_chars (int): characters of the texts.
    rounds, warm_up (int): how many count, after how many that do not.
    clock (callable): `process_time` on a machine that is busy with other things.
    RETURNS (dict of list of float): by the name of the side.
    """
    speeds: dict[str, list[float]] = {name: [] for name in sides}
    for i in range(warm_up + rounds):
        for name, run in sides.items():
            begin = clock()
            run()
            if i >= warm_up:
                speeds[name].append(n_chars / (clock() - begin))
    return speeds


def report(results: dict[str, dict[str, list[float]]], setting: dict[str, Any], output: Path) -> None:
    """Print medians, ranges and the ratio of the first side to each other; write everything to a JSON file.

    results (dict): for each mode, what `interleave` gave.
    setting (dict): what was measured, for the title.
    output (Path): the file.
    """
    table = Table(title="characters a second, " + ", ".join(f"{name} {value}" for name, value in setting.items()))
    for column in ("", "side", "median", "range", "first side / this"):
        table.add_column(column)
    figures: dict[str, Any] = {"setting": setting, "environment": environment()}
    for name, speeds in results.items():
        medians = {side: statistics.median(values) for side, values in speeds.items()}
        first = next(iter(medians.values()))
        ratios = {side: first / median for side, median in medians.items()}
        figures[name] = {"speeds": speeds, "medians": medians, "ratios": ratios}
        for side, values in speeds.items():
            spread = f"{min(values):,.0f}–{max(values):,.0f}"
            table.add_row(name, side, f"{medians[side]:,.0f}", spread, f"{ratios[side]:.3f}")
    console = Console()
    console.print(table)
    console.print(figures["environment"])
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(json.dumps(figures, indent=2), encoding="utf8")


def environment() -> dict[str, Any]:
    """What the figures depend on besides the code."""
    return describe_environment(torch.get_num_threads())


def with_gold(nlp: Language, gold: Sequence[Doc], key: str) -> Doc:
    """A Doc of the texts of Docs, a line each, with their entities; those that no tokens fit are left out.

    key (str): the span group of the entities.
    """
    doc = nlp.make_doc("\n".join(one.text for one in gold))
    spans, begun = [], 0
    for one in gold:
        spans += [(begun + span.start_char, begun + span.end_char, span.label_) for span in one.spans[key]]
        begun += len(one.text) + 1
    doc.spans[key] = [span for place in spans if (span := doc.char_span(*place)) is not None]
    return doc
