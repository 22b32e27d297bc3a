"""`medflat report`: the experiments as a page and as Markdown."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.text import Text

from ..experiments.report.markdown import render_markdown
from ..experiments.report.page import render_report
from ..experiments.report.results import read_results
from ..experiments.report.summary import best_row, detail, lines
from ..files import replaced_when_done
from .common import friendly_errors


def report(
    experiments: Annotated[Path, typer.Argument(help="Folder that `experiments` wrote.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="HTML file. It quotes texts of the corpus.")],
    markdown: Annotated[
        Path | None, typer.Option(help="Markdown file too: the figures, without any text of the corpus.")
    ] = None,
) -> None:
    """Compare the rows that are done: scores, spread over seeds, bootstrap, splits, kinds of error, worst texts.

    The page needs no network and no other file. The same runs give the same bytes.
    """
    with friendly_errors():
        results = read_results(experiments)
        found = lines(results)
        best = best_row(found)
        baseline = next((row for row in results.done if row.name == results.baseline), best)
        details = [detail(results, row) for row in ([baseline, best] if baseline is not best else [best])]
        page = render_report(results, found, details)
        summary = render_markdown(results, found, details)
        for path, content in ((output, page), (markdown, summary)):
            if path is not None:
                with replaced_when_done(path) as scratch:
                    scratch.write_text(content, encoding="utf-8", newline="\n")
        console = Console(soft_wrap=True)
        console.print(Text(f"{len(found)} rows in {output}; the best by mean F1 is {best.name}"))
