"""`medflat evaluate`: scores of a pipeline on annotated texts."""

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from ..files import write_json
from ..ner.scorer import ROLES
from .common import Code, GpuId, check_apart, friendly_errors, load_pipeline, read_examples


def evaluate(
    model: Annotated[str, typer.Argument(help="Package name or folder of a trained pipeline.")],
    data: Annotated[Path, typer.Argument(help="Annotated texts, in any format that `convert` reads.")],
    output: Annotated[Path | None, typer.Option("--output", "-o", help="JSON file for the scores.")] = None,
    mixed_precision: Annotated[
        bool | None,
        typer.Option("--mixed-precision/--full-precision", help="Compute so; by default as the pipeline says."),
    ] = None,
    code: Code = None,
    gpu_id: GpuId = -1,
) -> None:
    """Score a pipeline: overall, per type, and apart for spans that take part in nesting."""
    with friendly_errors():
        check_apart([output], [data])
        nlp, recognizer = load_pipeline(model, gpu_id, mixed_precision, code)
        examples = read_examples(nlp, data, recognizer.key)
        scores = nlp.evaluate(examples)
        console = Console()
        console.print(_table(scores, f"spans_{recognizer.key}", f"{model} on {data}"))
        # Tokens are characters in the pipelines that we train.
        console.print(f"{len(examples):,} texts, {scores['speed']:,.0f} tokens a second")
        if output:
            write_json(output, scores)


def _table(scores: dict[str, Any], prefix: str, title: str) -> Table:
    table = Table("", "P", "R", "F", title=title)
    for column in table.columns[1:]:
        column.justify = "right"
    table.add_row("all", *_percent(*(scores[f"{prefix}_{name}"] for name in "prf")), style="bold", end_section=True)
    for role in ROLES:
        values = (scores[f"{prefix}_{role}_{name}"] for name in "prf")
        table.add_row(role, *_percent(*values), end_section=role == ROLES[-1])
    for label, values in sorted((scores[f"{prefix}_per_type"] or {}).items()):
        table.add_row(label, *_percent(*(values[name] for name in "prf")))
    return table


def _percent(*values: float | None) -> list[str]:
    return ["–" if value is None else f"{100 * value:.2f}" for value in values]
