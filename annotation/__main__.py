"""`python -m annotation check FILE…` for writers, `python -m annotation build` for the corpus."""

from pathlib import Path
from typing import Annotated

import typer

from spacy_medflat.corpus.nesting import nested_parts
from spacy_medflat.corpus.record import Record

from .rules import find_faults, read_labels
from .source import Fault, read_source

SOURCES = Path(__file__).parents[1] / "assets" / "corpus" / "source"

app = typer.Typer(add_completion=False, no_args_is_help=True)


@app.callback()
def main() -> None:
    """The project's own corpus: check its sources, and make train.json and dev.json of them."""


@app.command()
def check(
    files: Annotated[list[Path], typer.Argument(help="Source files.", exists=True, dir_okay=False)],
    quiet: Annotated[bool, typer.Option(help="Show errors, not doubts.")] = False,
) -> None:
    """Hold source files against the guidelines; ends with 1 if a line has an error."""
    settled = read_labels(SOURCES / "labels.tsv")
    n_errors = 0
    for file in files:
        records, faults = read_source(file)
        faults += [fault for record in records for fault in find_faults(record, settled)]
        n_errors += sum(fault.is_error for fault in faults)
        for fault in sorted(faults, key=_by_line):
            if fault.is_error or not quiet:
                print(f"{file.name}:{fault}")
        print(f"{file.name}: {_summary(records)}")
    raise typer.Exit(1 if n_errors else 0)


def _by_line(fault: Fault) -> tuple[int, bool, str]:
    return fault.line, not fault.is_error, fault.message


def _summary(records: list[Record]) -> str:
    n = len(records)
    if not n:
        return "no sentence"
    nested = sum(bool(nested_parts(record.entities)[0]) for record in records)
    bare = sum(not record.entities for record in records)
    n_entities = sum(len(record.entities) for record in records)
    return (
        f"{n} sentences, {n_entities} entities, nested in {nested / n:.0%} of the sentences (35 % or more wanted), "
        f"{bare / n:.0%} without entities (5 to 10 % wanted)"
    )


app()
