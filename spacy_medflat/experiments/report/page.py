"""The report as one HTML page that needs no other file."""

from collections.abc import Collection, Mapping, Sequence
from html import escape

from ...corpus.record import Entity
from ...visual.html import STYLE as TEXT_STYLE
from ...visual.html import Mark, colours, render_html
from ..confusion import NOTHING
from .charts import seed_spread, training_curves, type_bars
from .results import Results
from .summary import MAX_LENGTH, SPLITS, Case, Detail, Line, environments, worst_cases
from .tables import (
    ERRORS_NOTE,
    RESULTS_NOTE,
    SPLIT_NOTES,
    kinds_table,
    not_run_table,
    results_table,
    scored_on,
    split_table,
)

_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; color: #222; max-width: 76em; margin: 2em auto; padding: 0 1.5em; }
h1 { font-size: 1.7em; } h2 { font-size: 1.25em; margin-top: 2em; } h3 { font-size: 1em; margin-bottom: .3em; }
p.note { color: #555; max-width: 62em; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-size: 12.5px; font-variant-numeric: tabular-nums; margin: .6em 0; }
th, td { padding: .25em .5em; border-bottom: 1px solid #ddd; text-align: left; vertical-align: top; }
th { border-bottom: 2px solid #888; vertical-align: bottom; }
.number { text-align: right; white-space: nowrap; }
tr.marked td { font-weight: 600; background: #f2f6ec; }
table.confusion td { min-width: 3em; } tbody th { border-bottom: 1px solid #ddd; }
svg { max-width: 100%; height: auto; }
.case { border-top: 1px solid #ccc; padding: .6em 0; display: grid; grid-template-columns: 7em 1fr; gap: .2em 1em; }
.case .side { color: #555; font-size: 13px; padding-top: .6em; }
"""


def render_report(results: Results, found: list[Line], details: Sequence[Detail]) -> str:
    """The page. The same results give the same bytes.

    results (Results): all rows.
    found (list of Line): see `summary.lines`.
    details (sequence of Detail): the rows whose splits and errors are shown, the best one last.
    RAISES (MedflatError): matplotlib is not installed.
    """
    best = details[-1]
    shown = " and ".join(detail.row.name for detail in details)
    bars = type_bars(results, details)
    parts = [
        _section("Rows", RESULTS_NOTE, _wide(results_table(found, best.row.name).html())),
        _section("Training curves", "Dev F1 at each evaluation, a line for each seed.", training_curves(results)),
        _section("Seeds", "Each dot is a seed, the bar their mean.", seed_spread(found)),
        _section("By type", f"F1 of {shown}.", bars + _wide(split_table(details, "type").html())),
        *(
            _section(f"By {split}", SPLIT_NOTES[split], _wide(split_table(details, split).html()))
            for split in SPLITS[1:]
        ),
        _section("Kinds of error", ERRORS_NOTE, _wide(kinds_table(details).html())),
        _section(
            f"Types taken for others: {best.row.name}",
            "Rows are gold, columns what was found with the same start and end; – is nothing. Means over the seeds; "
            "the shade is the share of the row.",
            _wide(_confusion(best)),
        ),
        _worst(results, best),
        _section("Trained with", "", "".join(f"<p>{escape(line)}</p>" for line in environments(results))),
    ]
    not_run = not_run_table(results, messages=True)
    if not_run.rows:
        parts.insert(1, _section("Not run, or not wholly", "", _wide(not_run.html())))
    body = "\n".join(parts)
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>Experiments: {escape(results.matrix)}</title>\n<style>{_STYLE}{TEXT_STYLE}</style>\n</head>\n<body>\n"
        f"<h1>Experiments: {escape(results.matrix)}</h1>\n<p>Scored on {escape(scored_on(results))}</p>\n"
        f"{body}\n</body>\n</html>\n"
    )


def _section(title: str, note: str, content: str) -> str:
    paragraph = f'<p class="note">{escape(note)}</p>\n' if note else ""
    return f"<section>\n<h2>{escape(title)}</h2>\n{paragraph}{content}\n</section>"


def _wide(content: str) -> str:
    return f'<div class="wide">{content}</div>'


def _confusion(detail: Detail) -> str:
    labels = sorted({label for pair in detail.confusion for label in pair} - {NOTHING})
    names = [*labels, NOTHING]
    head = "".join(f"<th class=number>{escape(name) or '–'}</th>" for name in names)
    rows = []
    for gold in names:
        counts = [detail.confusion[gold, found] for found in names]
        total = sum(counts)
        cells = "".join(
            f'<td class=number style="background:rgb(70 120 200 / {count / total if total else 0:.2f})">'
            f"{_mean(count, detail.seeds)}</td>"
            for count in counts
        )
        rows.append(f"<tr><th>{escape(gold) or '–'}</th>{cells}</tr>")
    return (
        f'<table class="confusion">\n<thead><tr><th></th>{head}</tr></thead>\n<tbody>{"".join(rows)}</tbody>\n</table>'
    )


def _mean(count: int, seeds: int) -> str:
    """A count over several seeds as that of one, rounded; nothing for none."""
    if not count:
        return ""
    return f"{count / seeds:,.0f}" if count >= seeds else "&lt;1"


def _worst(results: Results, best: Detail) -> str:
    run = best.row.runs[0]
    cases = worst_cases(results.texts.texts, results.gold, run.found())
    hues = colours(e.label for case in cases for e in [*case.gold, *case.found])
    title = f"Most errors: {best.row.name}, seed {run.seed}"
    note = f"The {len(cases)} texts of up to {MAX_LENGTH} characters with the most spans wrong or missing, edged red."
    return _section(title, note, "\n".join(_case(results, case, hues) for case in cases))


def _case(results: Results, case: Case, hues: dict[str, int]) -> str:
    text = results.texts.texts[case.index]
    name = results.texts.ids[case.index] or f"text {case.index}"
    gold = render_html(text, _marks(dict.fromkeys(case.gold), case.found), hues)
    found = render_html(text, _marks(case.found, case.gold), hues)
    return (
        f'<div class="case"><div class="side">{escape(name)}<br>{case.errors} errors<br>gold</div>{gold}'
        f'<div class="side">found</div>{found}</div>'
    )


def _marks(spans: Mapping[Entity, float | None], right: Collection[Entity]) -> list[Mark]:
    ordered = sorted(spans, key=lambda e: (e.start, -e.end, e.label))
    return [Mark(e.start, e.end, e.label, spans[e], e not in right) for e in ordered]
