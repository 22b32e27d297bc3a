"""`medflat convert`: an annotated corpus from any known format to any other."""

from pathlib import Path
from typing import Annotated

import typer

from ..corpus.conversion import convert_corpus
from ..corpus.formats.registry import FORMATS
from ..corpus.report_view import report_view
from ..files import write_json
from .common import check_apart, friendly_errors, say, split_names
from .progress import counted

_NAMES = ", ".join(FORMATS)


def convert(
    source: Annotated[Path, typer.Argument(metavar="IN", help="File to read, or folder for brat.")],
    target: Annotated[Path, typer.Argument(metavar="OUT", help="File to write, or folder for brat.")],
    source_format: Annotated[
        str | None, typer.Option("--from", help=f"Format of IN: {_NAMES}. Found from IN by default.")
    ] = None,
    target_format: Annotated[
        str | None,
        typer.Option("--to", help="Format of OUT. Found from its suffix by default; .spacy is docbin."),
    ] = None,
    spans_key: Annotated[str, typer.Option(help="Span group of the entities in docbin.")] = "sc",
    labels: Annotated[
        str | None, typer.Option(help="Known labels, with commas between them; others are skipped and reported.")
    ] = None,
    strict: Annotated[bool, typer.Option("--strict", help="Stop at the first broken item and write nothing.")] = False,
    report: Annotated[Path | None, typer.Option(help="JSON file for the report, with every problem.")] = None,
    submission: Annotated[
        Path | None,
        typer.Option(
            metavar="TEST_FILE",
            help="Official CMeEE test file: OUT is a CBLUE submission for it, and written only if valid.",
        ),
    ] = None,
    lang: Annotated[str, typer.Option(help="Language of the tokenizer for docbin.")] = "zh",
    limit: Annotated[int, typer.Option(min=0, help="Convert so many texts, the first. All by default.")] = 0,
) -> None:
    """Convert an annotated corpus, and report what it holds and what was wrong with it.

    OUT is replaced as a whole, and only if the conversion succeeds.
    """
    with friendly_errors():
        check_apart([target, report], [source, *([submission] if submission else [])])
        found = convert_corpus(
            source,
            target,
            source_format=source_format,
            target_format=target_format,
            spans_key=spans_key,
            labels=split_names(labels),
            strict=strict,
            lang=lang,
            limit=limit,
            submission=submission,
            progress=counted,
        )
        say(report_view(found, title=f"{source} → {target}"))
        if report:
            write_json(report, found.to_dict())
