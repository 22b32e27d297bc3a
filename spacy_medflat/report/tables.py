"""Tables of the report, the same in HTML and in Markdown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape

from ..experiments.errors import KINDS
from ..experiments.scores import Counts, Difference, Spread
from .results import Results
from .summary import Detail, Line


@dataclass(frozen=True)
class Table:
    """Cells of plain text. The first `words` columns are words, the others numbers; `marked` rows are set off."""

    head: list[str]
    rows: list[list[str]]
    words: int = 1
    marked: set[int] = field(default_factory=set)

    def html(self) -> str:
        """A `<table>`."""
        lines = [_html_row("th", self.head, self.words)]
        for index, row in enumerate(self.rows):
            lines.append(_html_row("td", row, self.words, ' class="marked"' if index in self.marked else ""))
        body = "\n".join(lines[1:])
        return f"<table>\n<thead>\n{lines[0]}\n</thead>\n<tbody>\n{body}\n</tbody>\n</table>"

    def markdown(self) -> str:
        """A table as GitHub reads it."""
        rule = ["---" if i < self.words else "---:" for i in range(len(self.head))]
        lines = [self.head, rule, *self.rows]
        return "\n".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |" for line in lines)


def _html_row(tag: str, cells: Sequence[str], words: int, attributes: str = "") -> str:
    inside = "".join(
        f"<{tag}{'' if i < words else ' class=number'}>{escape(cell)}</{tag}>" for i, cell in enumerate(cells)
    )
    return f"<tr{attributes}>{inside}</tr>"


def results_table(results: Results, found: list[Line], best: str) -> Table:
    """The rows that were run."""
    head = ["row", "what", "seeds", "P", "R", "F1", "F1 over seeds", "difference", "95 %", "≤ 0", "against", "tuned F1"]
    rows = []
    for line in found:
        gap = line.difference
        rows.append(
            [
                line.row.name,
                line.row.title,
                ", ".join(map(str, line.seeds)),
                percent(line.p.mean),
                percent(line.r.mean),
                percent(line.f.mean),
                over_seeds(line.f),
                *_difference(gap),
                line.row.against if gap else "",
                percent(line.tuned.mean),
                f"{line.steps:,}",
                f"{line.seconds:,.0f}",
            ]
        )
    return Table([*head, "steps", "seconds"], rows, 2, {i for i, line in enumerate(found) if line.row.name == best})


def not_run_table(results: Results, *, messages: bool) -> Table:
    """The rows that were not run or not wholly, and why; see `RowResult.note`."""
    notes = [(row, row.note(messages=messages)) for row in results.rows]
    return Table(["row", "what", "why"], [[row.name, row.title, note] for row, note in notes if note], 3)


def split_table(details: Sequence[Detail], split: str) -> Table:
    """Scores of the classes of a split, row beside row. Gold is that of one seed."""
    names = sorted({name for detail in details for name in detail.splits[split]})
    head = [split, "gold"]
    for detail in details:
        head += [f"{detail.row.name} {name}" for name in ("P", "R", "F1")]
    rows = []
    for name in names:
        row = [name.strip(), f"{details[0].splits[split].get(name, (0, 0, 0, 0))[3] // details[0].seeds:,}"]
        for detail in details:
            row += [percent(value) for value in split_score(detail.splits[split].get(name))]
        rows.append(row)
    return Table(head, rows)


def split_score(counts: Counts | None) -> tuple[float, float, float]:
    """Precision, recall and F1 of a class, from the four counts of `split_counts`."""
    if counts is None:
        return 0.0, 0.0, 0.0
    right, found, reached, gold = counts.tolist()
    p, r = (part / whole if whole else 0.0 for part, whole in ((right, found), (reached, gold)))
    return p, r, 2 * p * r / (p + r) if p + r else 0.0


def kinds_table(details: Sequence[Detail]) -> Table:
    """Kinds of error, as means over the seeds."""
    head = ["kind"]
    for detail in details:
        head += [f"{detail.row.name}: found wrongly", f"{detail.row.name}: not found"]
    names = {"alone": "spurious or missed"}
    rows = []
    for kind in KINDS:
        row = [names.get(kind, kind)]
        for detail in details:
            row += [f"{counts[kind] / detail.seeds:,.0f}" for counts in (detail.wrong, detail.lost)]
        rows.append(row)
    return Table(head, rows)


def percent(value: float) -> str:
    """A share of 1 in percent."""
    return f"{100 * value:.2f}"


def over_seeds(values: Spread) -> str:
    """Least, greatest and standard deviation; nothing of a single seed."""
    if values.sd is None:
        return ""
    return f"{percent(values.low)}–{percent(values.high)}, sd {percent(values.sd)}"


def _difference(gap: Difference | None) -> list[str]:
    if gap is None:
        return ["", "", ""]
    mean, low, high = (f"{100 * value:+.2f}".replace("-", "−") for value in (gap.mean, gap.low, gap.high))
    return [mean, f"{low} to {high}", f"{gap.not_above:.3f}"]
