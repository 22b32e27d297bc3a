"""`python -m annotation check FILE` for writers; `report` and `build` for the whole corpus."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from spacy_medflat.corpus.nesting import nested_parts
from spacy_medflat.corpus.record import Record
from spacy_medflat.errors import MedflatError

from .corpus import CORPUS, SOURCES, cmeee_texts, read_sources, source_files, write_corpus
from .rules import find_faults, read_labels
from .shared_runs import RunFinder, read_set_phrases, similar_pairs
from .source import Fault
from .statistics import count_kinds, find_wavering
from .usage import count_usage, find_odd, known_strings

app = typer.Typer(add_completion=False, no_args_is_help=True)
Files = Annotated[list[Path] | None, typer.Argument(help="Source files; all of the corpus if none is named.")]


@app.callback()
def main() -> None:
    """The project's own corpus: check its sources, and make train.json and dev.json of them."""


@app.command()
def check(
    files: Files = None, quiet: Annotated[bool, typer.Option("--quiet", help="Show errors, not doubts.")] = False
) -> None:
    """Hold source files against the guidelines, the rest of the corpus and CMeEE (under MEDFLAT_DATA).

    Ends with 1 if a line has an error.
    """
    chosen = [path.resolve() for path in files or source_files()]
    n_errors = 0
    others, _ = read_sources(path for path in source_files() if path not in chosen)
    for path in chosen:
        records, faults = _faults([path])
        faults[path.name] += _shared_faults(records, others)
        faults[path.name] += find_odd(records, known_strings(count_usage([*others, *records])))
        others += records
        for fault in sorted(faults[path.name], key=lambda fault: (fault.line, not fault.is_error, fault.message)):
            if fault.is_error or not quiet:
                print(f"{path.name}:{fault}")
        n_errors += sum(fault.is_error for fault in faults[path.name])
        print(f"{path.name}: {_summary(records)}")
    raise typer.Exit(1 if n_errors else 0)


@app.command()
def report(files: Files = None) -> None:
    """Count the corpus, and list strings that are annotated with several types."""
    records, _ = read_sources(files or source_files())
    Console(width=200).print(count_kinds(records))
    for string, places in find_wavering(records, read_labels(SOURCES / "labels.tsv")):
        print(string, ", ".join(f"{label} ×{len(at)} ({at[0]})" for label, at in sorted(places.items())))


@app.command()
def build(output: Annotated[Path, typer.Option(help="Folder for train.json and dev.json.")] = CORPUS) -> None:
    """Make train.json and dev.json of the sources; refused if a line has an error."""
    records, faults = _faults(source_files())
    if wrong := [f"{name}:{fault}" for name, of_file in faults.items() for fault in of_file if fault.is_error]:
        print("\n".join(wrong))
        raise typer.Exit(1)
    n_train, n_dev = write_corpus(records, output)
    print(f"{n_train} sentences in train.json, {n_dev} in dev.json")


def _faults(paths: Sequence[Path]) -> tuple[list[Record], dict[str, list[Fault]]]:
    """The sentences of source files, and for each file what is wrong with its lines."""
    settled = read_labels(SOURCES / "labels.tsv")
    all_records: list[Record] = []
    faults: dict[str, list[Fault]] = {}
    for path in paths:
        records, unreadable = read_sources([path])
        faults[path.name] = [*unreadable.get(path.name, ()), *(f for r in records for f in find_faults(r, settled))]
        all_records += records
    return all_records, faults


def _shared_faults(records: Sequence[Record], others: Sequence[Record]) -> list[Fault]:
    """What sentences share with CMeEE, an error, and with the corpus, a doubt."""
    mine = {record.place for record in records}
    faults = []
    finder = RunFinder([*others, *records], read_set_phrases(SOURCES / "set_phrases.txt"))
    for shared in finder.outside(cmeee_texts()):
        if shared.record.place in mine:
            faults.append(Fault(shared.record.meta["line"], f"shares {shared.run!r} with {shared.place}"))
    for shared in finder.inside():
        if shared.record.place in mine:
            faults.append(Fault(shared.record.meta["line"], f"shares {shared.run!r} with {shared.place}", False))
    for record, other, index in similar_pairs([*others, *records]):
        if record.place in mine:
            faults.append(Fault(record.meta["line"], f"says nearly the same as {other.place} ({index:.0%})", False))
    return faults


def _summary(records: Sequence[Record]) -> str:
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


if __name__ == "__main__":
    try:
        app()
    except (MedflatError, OSError) as error:
        raise SystemExit(f"error: {error}") from None
