"""`medflat evaluate`: scores of a pipeline on annotated texts."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import RenderableType
from spacy.language import Language
from spacy.training import Example

from ..context.attributes import VALUES
from ..corpus.docs import fields_of
from ..errors import amount
from ..files import write_json
from ..ner.scorer import ROLES
from .common import Code, GpuId, check_apart, friendly_errors, load_pipeline, read_examples, say, table


def evaluate(
    model: Annotated[str, typer.Argument(help="Package name or folder of a trained pipeline.")],
    data: Annotated[Path, typer.Argument(help="Annotated texts, in any format that `convert` reads.")],
    output: Annotated[Path | None, typer.Option("--output", "-o", help="JSON file for the scores.")] = None,
    by: Annotated[str | None, typer.Option(help="Score apart for each value of this field of the texts.")] = None,
    mixed_precision: Annotated[
        bool | None,
        typer.Option("--mixed-precision/--full-precision", help="Compute so; by default as the pipeline says."),
    ] = None,
    code: Code = None,
    gpu_id: GpuId = -1,
) -> None:
    """Score a pipeline: overall, per type, and apart for spans that take part in nesting.

    What it says about entities, their context, values and codes, is scored on the entities found, where texts have it.
    """
    with friendly_errors():
        check_apart([output], [data])
        nlp, recognizer = load_pipeline(model, gpu_id, mixed_precision, code)
        examples = read_examples(nlp, data, recognizer.key)
        scores = nlp.evaluate(examples)
        prefix = f"spans_{recognizer.key}"
        say(table(["", "P", "R", "F"], _rows(scores, prefix), title=f"{model} on {data}", bold="all"))
        if by:
            scores["by"] = {by: _scores_by(nlp, examples, by, prefix)}
            say(table([by, "texts", "P", "R", "F"], _rows_by(scores["by"][by])))
        if scores.get(f"context_{recognizer.key}_spans"):
            say(_context_table(scores, f"context_{recognizer.key}"))
        if scores.get(f"values_{recognizer.key}_spans"):
            say(_values_table(scores, f"values_{recognizer.key}"))
        if scores.get(f"codes_{recognizer.key}_spans"):
            say(_codes_table(scores, f"codes_{recognizer.key}"))
        say(f"{amount(len(examples), 'text')}, {scores['speed']:,.0f} characters a second")
        if output:
            write_json(output, scores)


def _rows(scores: dict[str, Any], prefix: str) -> Iterator[list[str]]:
    """Over all, by part in nesting, and by type."""
    yield _row("all", (scores[f"{prefix}_{name}"] for name in "prf"))
    yield []
    for role in ROLES:
        yield _row(role, (scores[f"{prefix}_{role}_{name}"] for name in "prf"))
    yield []
    for label, values in sorted((scores[f"{prefix}_per_type"] or {}).items()):
        yield _row(label, (values[name] for name in "prf"))


def _scores_by(nlp: Language, examples: Iterable[Example], field: str, prefix: str) -> dict[str, dict[str, Any]]:
    """Scores of the texts of each value of a field. The texts are read once more: spaCy scores copies of them."""
    groups: dict[str, list[Example]] = {}
    for example in examples:
        groups.setdefault(str(fields_of(example.reference).get(field, "–")), []).append(example)
    of_each = {}
    for value, group in sorted(groups.items()):
        scores = nlp.evaluate(group)
        of_each[value] = {"texts": len(group), **{name: scores[f"{prefix}_{name}"] for name in "prf"}}
    return of_each


def _rows_by(of_each: dict[str, dict[str, Any]]) -> Iterator[list[str]]:
    for value, scores in of_each.items():
        yield _row(value, (scores[name] for name in "prf"), f"{scores['texts']:,}")


def _context_table(scores: dict[str, Any], prefix: str) -> RenderableType:
    """Each attribute, with the share of right values, and its values."""
    rows: list[list[str]] = []
    for attribute in VALUES:
        accuracy = scores[f"{prefix}_{attribute}_acc"]
        if accuracy is not None:
            rows += [[], [attribute, "", "", "", f"{100 * accuracy:.2f}"]]
            for value, found in scores[f"{prefix}_{attribute}_per_value"].items():
                rows.append(_row(value, (found[name] for name in "prf")))
    title = f"What is said about {amount(scores[f'{prefix}_spans'], 'entity')} of those found"
    return table(["", "P", "R", "F", "right"], rows[1:], title=title)


def _values_table(scores: dict[str, Any], prefix: str) -> RenderableType:
    """Whole values, and each field of them."""
    rows = [_row("whole", (scores[f"{prefix}_{name}"] for name in "prf")), []]
    for field, values in scores[f"{prefix}_per_field"].items():
        rows.append(_row(field, (values[name] for name in "prf")))
    title = f"Values of {amount(scores[f'{prefix}_spans'], 'entity')} of those found"
    return table(["", "P", "R", "F"], rows, title=title)


def _codes_table(scores: dict[str, Any], prefix: str) -> RenderableType:
    """How many entities have a code, a right one first, a right one at all."""
    rows = [
        _row("with a code", [scores[f"{prefix}_linked"]]),
        _row("first code right", [scores[f"{prefix}_acc"]]),
        _row("a right one among them", [scores[f"{prefix}_among"]]),
    ]
    return table(["", "%"], rows, title=f"Codes of {amount(scores[f'{prefix}_spans'], 'entity')} of those found")


def _row(name: str, values: Iterable[float | None], *between: str) -> list[str]:
    return [name, *between, *("–" if value is None else f"{100 * value:.2f}" for value in values)]
