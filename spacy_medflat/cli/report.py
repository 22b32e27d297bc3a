"""`medflat report`: the experiments as a page and as Markdown."""

from pathlib import Path
from typing import Annotated

import typer

from ..experiments.report.markdown import render_markdown
from ..experiments.report.page import render_report
from ..experiments.report.results import read_results
from ..experiments.report.summary import best_row, detail, lines
from ..files import write_text
from ..visual.charts import check_matplotlib
from .common import friendly_errors, say


def report(
    experiments: Annotated[Path, typer.Argument(help="Folder that `experiments` wrote.")],
    output: Annotated[
        Path, typer.Option("--output", "-o", dir_okay=False, help="HTML file. It quotes texts of the corpus.")
    ],
    markdown: Annotated[
        Path | None,
        typer.Option(dir_okay=False, help="Markdown file too: the figures, without any text of the corpus."),
    ] = None,
) -> None:
    """Compare the rows that are done: a summary, scores, seeds, bootstrap, curves, splits, kinds of error, worst texts.

    The page needs no network and no other file. The same runs give the same bytes.
    """
    with friendly_errors():
        check_matplotlib()
        results = read_results(experiments)
        found = lines(results)
        best = best_row(found)
        baseline = next((row for row in results.done if row.name == results.baseline), best)
        details = [detail(results, row) for row in ([baseline, best] if baseline is not best else [best])]
        page = render_report(results, found, details)
        summary = render_markdown(results, found, details)
        write_text(output, page)
        if markdown:
            write_text(markdown, summary)
        say(f"{len(found)} row{'' if len(found) == 1 else 's'} in {output}; the best by mean F1 is {best.name}")
