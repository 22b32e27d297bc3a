"""What a GPU gives: its tests, training of large encoders clean and adversarial, FLAT, and reading; at most 8 minutes.

    python -m bench.gpu
    python -m bench.gpu --device cpu --small --steps 2      # the same code without a GPU, to see that it works

Encoders of the shapes of bert-base and bert-large have random weights and read the texts of `assets/corpus`, so that
nothing is loaded from a network; their scores mean nothing. Training is in mixed precision. A row that has used its
share of the time stops, and says after how many steps. Each row is printed as soon as it is there; at the end there is
a table in Markdown, which is also in a file beside the JSON with all figures.
"""

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Literal

import torch
import typer

from bench.gpu_device import Budget, Row, describe, why_none
from bench.gpu_rows import layer_rows, make_pipeline, reading_row, training_row
from spacy_medflat.runtime import use_device

ROOT = Path(__file__).resolve().parents[1]
# Width, layers and heads of the encoders; the feed-forward is four times as wide.
SHAPES = {"bert-base": (768, 12, 12), "bert-large": (1024, 24, 16)}
TINY = (32, 1, 2)
# Of the whole time. What a row leaves is there for those after it, though none gets more than its share.
TESTS, READING, LAYERS = 0.25, 0.06, 0.12
TRAINING = {"clean": 0.05, "FGM": 0.08, "PGD 3": 0.12}


def main(
    device: Annotated[Literal["cuda", "cpu"], typer.Option(help="Where to compute.")] = "cuda",
    steps: Annotated[int, typer.Option(min=1, help="Steps of each training.")] = 200,
    batch: Annotated[int, typer.Option(min=1, help="Texts of a step.")] = 32,
    minutes: Annotated[float, typer.Option(min=0.1, help="For everything.")] = 8.0,
    small: Annotated[bool, typer.Option("--small", help="Tiny shapes, few texts.")] = False,
    data: Annotated[Path, typer.Option(help="Annotated texts.")] = ROOT / "assets" / "corpus" / "train.json",
    output: Annotated[Path, typer.Option(help="JSON file for the figures.")] = Path("metrics/gpu.json"),
) -> None:
    """Test and measure on a GPU."""
    if device == "cuda" and (reason := why_none()):
        print(f"Nothing is measured: {reason}. --device cpu --small --steps 2 runs the same code without a GPU.")
        return
    budget = Budget(60 * minutes)
    tests = _tests(budget) if device == "cuda" else "not run: this is no GPU"
    print(f"tests: {tests}", flush=True)
    use_device(0 if device == "cuda" else -1)
    about = describe(torch.device(device))
    rows = []
    for row in _rows(torch.device(device), steps, batch, small, data, budget):
        rows.append(row)
        print(row.line(), flush=True)
    text = "\n".join([*(f"{name}: {value}  " for name, value in {**about, "tests": tests}.items()), "", *_table(rows)])
    print(f"\n{text}\n\n{budget.spent:.0f} s of {budget.seconds:.0f} s")
    output.parent.mkdir(parents=True, exist_ok=True)
    figures = {"about": about, "tests": tests, "rows": [row._asdict() for row in rows], "seconds": budget.spent}
    output.write_text(json.dumps(figures, indent=2), encoding="utf8")
    output.with_suffix(".md").write_text(f"{text}\n", encoding="utf8")


def _rows(device: torch.device, steps: int, batch: int, small: bool, data: Path, budget: Budget) -> Iterator[Row]:
    for name, shape in SHAPES.items():
        with tempfile.TemporaryDirectory() as folder:
            nlp, batches = make_pipeline(Path(folder), TINY if small else shape, data, batch, 4 * batch if small else 0)
        for side, share in TRAINING.items():
            yield training_row(f"training, {name}", side, nlp, batches, steps, budget.until(share), device)
        if name == "bert-base":
            yield reading_row(f"nlp.pipe, {name}", nlp, batches, budget.until(READING), device)
        del nlp, batches
    yield from layer_rows(device, small, budget.until(LAYERS))


def _tests(budget: Budget) -> str:
    """The last line of the tests that need a GPU, or why there is none."""
    command = [sys.executable, "-m", "pytest", "-q", "-m", "gpu", "-p", "no:cacheprovider", "tests/gpu"]
    try:
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=TESTS * budget.seconds)
    except subprocess.TimeoutExpired:
        return f"stopped after {TESTS * budget.seconds:.0f} s, their share of the time"
    lines = done.stdout.strip().splitlines() or done.stderr.strip().splitlines() or ["no output"]
    if done.returncode not in (0, 5):
        print("\n".join(lines[-60:]), flush=True)
    return f"{lines[-1].strip('= ')} (exit code {done.returncode})"


def _table(rows: list[Row]) -> Iterator[str]:
    """The rows in Markdown."""
    yield "| what | side | characters/s | seconds a pass | peak MiB | share of time in the GPU | |"
    yield "|---|---|---|---|---|---|---|"
    for row in rows:
        yield f"| {' | '.join(row.cells())} |"


if __name__ == "__main__":
    typer.run(main)
