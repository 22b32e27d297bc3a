"""Running the sides of a comparison turn and turn about, and reporting what they took."""

import json
import os
import platform
import statistics
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from time import perf_counter
from typing import Any

import torch
from rich.console import Console
from rich.table import Table

PACKAGES = ("torch", "spacy", "spacy-transformers", "transformers", "thinc")


def interleave(sides: dict[str, Callable[[], None]], n_chars: int, rounds: int) -> dict[str, list[float]]:
    """Characters a second of each side in each round; one round before them does not count."""
    speeds: dict[str, list[float]] = {name: [] for name in sides}
    for counted in [False] + [True] * rounds:
        for name, run in sides.items():
            begin = perf_counter()
            run()
            if counted:
                speeds[name].append(n_chars / (perf_counter() - begin))
    return speeds


def report(results: dict[str, dict[str, list[float]]], setting: dict[str, Any], output: Path) -> None:
    """Print medians, ranges and the ratio of the first side to the second; write everything to a JSON file."""
    first, second = next(iter(results.values()))
    title = ", ".join(f"{name} {value}" for name, value in setting.items())
    table = Table("characters a second", first, second, f"{first} / {second}", title=title)
    figures: dict[str, Any] = {"setting": setting, "environment": environment()}
    for name, speeds in results.items():
        medians = {side: statistics.median(values) for side, values in speeds.items()}
        ratio = medians[first] / medians[second]
        figures[name] = {"speeds": speeds, "medians": medians, "ratio": ratio}
        cells = (f"{medians[side]:,.0f} ({min(v):,.0f}–{max(v):,.0f})" for side, v in speeds.items())
        table.add_row(name, *cells, f"{ratio:.3f}")
    console = Console()
    console.print(table)
    console.print(figures["environment"])
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(json.dumps(figures, indent=2), encoding="utf8")


def environment() -> dict[str, Any]:
    """What the figures depend on besides the code."""
    return {
        "python": platform.python_version(),
        "machine": platform.machine(),
        "cores": os.cpu_count(),
        "torch threads": torch.get_num_threads(),
        **{name: version(name) for name in PACKAGES},
    }
