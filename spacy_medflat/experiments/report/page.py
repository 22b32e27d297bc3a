"""The report as one HTML page that needs no other file."""

import json
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from ...corpus.record import Entity
from ...visual.html import render_html
from ...visual.labels import colours, full_name
from ...visual.lanes import Mark, outer_first
from ...visual.page import templates
from ..confusion import NOTHING, kind_of
from .charts import precision_recall_curves, reliability_curves, seed_spread, training_curves, type_bars
from .curves import row_curves
from .headline import headline
from .results import Results
from .summary import MAX_LENGTH, SPLITS, Case, Detail, Line, environments, worst_cases
from .tables import (
    CURVES_NOTE,
    ERRORS_NOTE,
    RESULTS_NOTE,
    SPLIT_NOTES,
    Table,
    error_name,
    kinds_table,
    not_run_table,
    results_table,
    scored_on,
    split_table,
)


@dataclass(frozen=True)
class Section:
    """A section of the page; it may have any of these.

    title, note (str): its heading, and what its figures mean.
    charts (sequence of Markup): SVG.
    table (Table or None): its table.
    confusion (dict or None): see `_confusion`.
    cases (sequence of dict): see `_case`.
    lines (sequence of str): paragraphs.
    """

    title: str
    note: str = ""
    charts: Sequence[Markup] = ()
    table: Table | None = None
    confusion: dict[str, Any] | None = None
    cases: Sequence[dict[str, Any]] = ()
    lines: Sequence[str] = ()

    @property
    def anchor(self) -> str:
        """The title as an address inside the page."""
        return re.sub(r"\W+", "-", self.title.lower()).strip("-")


def render_report(results: Results, found: list[Line], details: Sequence[Detail]) -> str:
    """The page. The same results give the same bytes.

    results (Results): all rows.
    found (list of Line): see `summary.lines`.
    details (sequence of Detail): the rows whose splits and errors are shown, the best one last.
    RAISES (MedflatError): matplotlib is not installed.
    """
    best = details[-1]
    run = best.row.runs[0]
    cases = worst_cases(results.texts.texts, results.gold, run.found())
    labels = {e.label for case in cases for e in [*case.gold, *case.found]}
    palette = colours(labels)
    curves = {detail.row.name: row_curves(results, detail.row) for detail in details}
    not_run = not_run_table(results, messages=True)
    confusion_note = (
        "Rows are gold, columns what was found with the same start and end; – is nothing. Means over the seeds; the "
        "shade is the share of the row."
    )
    cases_note = (
        f"The {len(cases)} texts of up to {MAX_LENGTH} characters with the most errors. What is wrong is shaded and "
        "underlined in red, with the kind of error: above in gold what was not found, below what was found and is not "
        "gold."
    )
    seeds = "Each dot is a seed, the bar their mean."
    shown = " and ".join(detail.row.name for detail in details)
    curve_charts = [precision_recall_curves(results, found, curves), reliability_curves(results, curves)]
    sections = [
        Section("Rows", RESULTS_NOTE, table=results_table(found, best.row.name)),
        *([Section("Not run or not finished", table=not_run)] if not_run.rows else []),
        _charts("Training curves", "Dev F1 at each evaluation, a line for each seed.", training_curves(results)),
        _charts("Seeds", seeds, seed_spread(found)),
        _charts("Thresholds and scores", CURVES_NOTE, *curve_charts),
        _charts("By type", f"F1 of {shown}.", type_bars(results, details), table=split_table(details, "type")),
        *(Section(f"By {split}", SPLIT_NOTES[split], table=split_table(details, split)) for split in SPLITS[1:]),
        Section("Kinds of error", ERRORS_NOTE, table=kinds_table(details)),
        Section(f"Types taken for others: {best.row.name}", confusion_note, confusion=_confusion(best)),
        Section(
            f"Most errors: {best.row.name}, seed {run.seed}",
            cases_note,
            cases=[_case(results, case, palette) for case in cases],
        ),
        Section("Trained with", lines=environments(results)),
    ]
    kinds = ("missed", "spurious", *(error_name(kind, is_gold=True) for kind in ("type", "boundary", "both")))
    shared = templates("spacy_medflat.visual")
    page = templates("spacy_medflat.experiments.report").get_template("report.html.j2")
    return page.render(
        title=f"Experiments: {results.matrix}",
        scored_on=f"Scored on {scored_on(results)}",
        headline=headline(results, found, details),
        sections=sections,
        kinds=kinds,
        keys=[{"label": label, "name": full_name(label), "colour": colour} for label, colour in palette.items()],
        text_style=Markup(shared.get_template("text.css").render()),
        captions=Markup(shared.get_template("captions.js").render()),
    )


def _charts(title: str, note: str, *svg: str, table: Table | None = None) -> Section:
    return Section(title, note, charts=[Markup(chart) for chart in svg], table=table)


def _confusion(detail: Detail) -> dict[str, Any]:
    """Names of the columns, and for each row its name and its cells, each a text and a shade from 0 to 1."""
    names = [*sorted({label for pair in detail.confusion for label in pair} - {NOTHING}), NOTHING]
    rows = []
    for gold in names:
        counts = [detail.confusion[gold, found] for found in names]
        total = sum(counts) or 1
        rows.append((gold or "–", [(_mean(count, detail.seeds), f"{count / total:.2f}") for count in counts]))
    return {"head": [name or "–" for name in names], "rows": rows}


def _mean(count: int, seeds: int) -> str:
    """A count over several seeds as that of one, rounded; nothing for none."""
    if not count:
        return ""
    return f"{count / seeds:,.0f}" if count >= seeds else "<1"


def _case(results: Results, case: Case, palette: dict[str, str]) -> dict[str, Any]:
    """A text with gold and what was found, and its errors as JSON: number of the mark, label, kind."""
    text = results.texts.texts[case.index]
    missing, extra = set(case.gold) - set(case.found), set(case.found) - set(case.gold)
    gold = _marks(dict.fromkeys(case.gold), missing, extra, is_gold=True)
    found = _marks(case.found, extra, missing, is_gold=False)
    errors = [[i, mark.label, mark.error] for i, mark in enumerate([*gold, *found]) if mark.error]
    return {
        "id": results.texts.ids[case.index] or f"text {case.index}",
        "count": case.errors,
        "gold": Markup(render_html(text, gold, palette).html),
        "found": Markup(render_html(text, found, palette, first=len(gold)).html),
        "errors": json.dumps(errors, ensure_ascii=False),
    }


def _marks(
    spans: Mapping[Entity, float | None], wrong: Collection[Entity], others: Collection[Entity], *, is_gold: bool
) -> list[Mark]:
    """Spans as marks in order; those that are wrong with their kind of error, see `kind_of` for the others."""
    marks = [
        Mark(e.start, e.end, e.label, score, error_name(kind_of(e, others), is_gold=is_gold) if e in wrong else "")
        for e, score in spans.items()
    ]
    return [marks[i] for i in outer_first(marks)]
