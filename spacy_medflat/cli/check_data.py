"""`medflat check-data`: what annotated files hold, what is broken in them, and what they share."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer
from spacy.tokens import Doc

from ..corpus.check import read_checked
from ..corpus.compare import Contents, Shared, label_differences, shared_texts
from ..corpus.docs import record_to_doc
from ..corpus.formats.docbin import blank_pipeline
from ..corpus.formats.registry import FORMATS
from ..corpus.kinds import BROKEN
from ..corpus.record import Problem
from ..corpus.report import Report
from ..corpus.report_view import problems_view, report_view
from ..errors import MedflatError, amount
from ..files import write_json
from .common import check_apart, friendly_errors, say


def check_data(
    paths: Annotated[
        list[Path], typer.Argument(metavar="PATHS...", help="Files or brat folders, training data first.")
    ],
    source_format: Annotated[
        str | None,
        typer.Option("--from", help=f"Format of all: {', '.join(FORMATS)}. Found from each by default."),
    ] = None,
    strict: Annotated[bool, typer.Option("--strict", help="Exit with code 1 if anything is broken.")] = False,
    json: Annotated[Path | None, typer.Option(help="JSON file for the reports, with every problem.")] = None,
    spans_key: Annotated[str, typer.Option(help="Span group of the entities in docbin.")] = "sc",
    lang: Annotated[str, typer.Option(help="Language of the tokenizer that entities must align with.")] = "zh",
) -> None:
    """Report on each file, then on the texts they share and the labels that one has and another lacks."""
    with friendly_errors():
        check_apart([json], paths)
        tokenizer = blank_pipeline(lang).tokenizer
        reports: dict[str, Report] = {}
        contents: dict[str, Contents] = {}
        for path in dict.fromkeys(paths):
            name = str(path)
            contents[name] = Contents()
            reports[name] = _inspect(path, source_format, spans_key, tokenizer, contents[name])
            say(report_view(reports[name], title=name))
            say("")
        shared = shared_texts(contents)
        differences = label_differences(contents)
        if len(reports) > 1:
            _print_comparison(shared, differences)
        if json:
            write_json(json, _to_dict(reports, shared, differences))
        if strict:
            _stop_if_broken(
                [*(p for r in reports.values() for found in r.problems.values() for p in found), *differences]
            )


def _inspect(
    path: Path, source_format: str | None, spans_key: str, tokenizer: Callable[[str], Doc], contents: Contents
) -> Report:
    clean, report = read_checked(path, source_format, spans_key)
    for record in contents.watch(clean):
        report.add_problems(record_to_doc(record, tokenizer, spans_key)[1])
    return report


def _print_comparison(shared: list[Shared], differences: list[Problem]) -> None:
    problems: dict[str, list[Problem]] = {}
    for problem in [*(p for pair in shared for p in pair.problems()), *differences]:
        problems.setdefault(problem.kind, []).append(problem)
    say("between the files", "bold")
    for pair in shared:
        say(f"{pair.first} and {pair.second} share {amount(len(pair.places), 'text')}")
    say(problems_view(problems))


def _to_dict(reports: dict[str, Report], shared: list[Shared], differences: list[Problem]) -> dict[str, object]:
    return {
        "files": {name: report.to_dict() for name, report in reports.items()},
        "shared_texts": [pair.to_dict() for pair in shared],
        "label_differences": [{"kind": p.kind, "file": p.place, "detail": p.detail} for p in differences],
    }


def _stop_if_broken(problems: list[Problem]) -> None:
    broken = [problem for problem in problems if problem.kind in BROKEN]
    if broken:
        raise MedflatError(f"{len(broken)} broken items, the first: {broken[0]}")
