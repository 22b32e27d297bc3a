"""A corpus report as it looks on a terminal."""

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from .kinds import BROKEN, KINDS
from .record import Problem
from .report import Report, ranked, summarize

LISTED = 20
"""How many problems of a kind are listed."""


def report_view(report: Report, title: str = "") -> RenderableType:
    """Show counts, labels, nesting and lengths as tables, then every kind of problem with its first places.

    title (str): a line above, such as the name of the file.
    """
    parts: list[RenderableType] = [Text(_printable(title), style="bold")] if title else []
    parts.append(_counts(report))
    if report.labels:
        rows = [(label, f"{n:,}") for label, n in ranked(report.labels)]
        parts.append(_table(rows, header=("label", "entities")))
    if report.unknown:
        rows = [(label, f"{n:,}") for label, n in ranked(report.unknown)]
        parts.append(_table(rows, header=("label", "may be entities")))
    if report.nesting_pairs:
        rows = [(f"{outer} > {inner}", f"{n:,}") for (outer, inner), n in ranked(report.nesting_pairs)[:10]]
        parts.append(_table(rows, header=("outer > inner", "pairs")))
    parts.append(problems_view(report.problems))
    return Group(*parts)


def _counts(report: Report) -> RenderableType:
    depths = ", ".join(f"{depth}: {count:,}" for depth, count in sorted(report.depths.items()))
    rows = [
        ("texts", _kept(report.texts, report.texts_read)),
        ("characters", f"{report.characters:,}"),
        ("entities", _kept(report.entities, report.entities_read)),
        ("nested entities", f"{report.nested:,} ({report.nested_share:.1%})"),
        ("nesting pairs, same label", f"{report.same_label_pairs:,}"),
        ("nesting pairs, different labels", f"{report.different_label_pairs:,}"),
        ("entities by depth", depths or "none"),
        ("pairs on the same span", f"{report.same_span:,}"),
        ("characters a text", _spread(report.text_lengths)),
        ("characters an entity", _spread(report.entity_lengths)),
    ]
    return _table(rows)


def _kept(kept: int, read: int) -> str:
    return f"{kept:,}" if kept == read else f"{kept:,} of {read:,} read"


def _spread(histogram: dict[int, int]) -> str:
    shown = summarize(histogram)
    return f"median {shown['median']:,}, 90 % {shown['p90']:,}, 99 % {shown['p99']:,}, longest {shown['max']:,}"


def problems_view(problems: dict[str, list[Problem]]) -> RenderableType:
    """Show each kind with its count and meaning, and its first places under it; the broken kinds in red.

    problems (dict of str to list of Problem): problems by kind.
    """
    if not problems:
        return Text("no problems found", style="green")
    lines = Text()
    order = list(KINDS)
    for kind, found in sorted(problems.items(), key=lambda item: order.index(item[0])):
        lines.append(f"{kind} {len(found):,}", style="bold red" if kind in BROKEN else "bold yellow")
        lines.append(f"  {KINDS[kind]}\n")
        for problem in found[:LISTED]:
            lines.append(f"  {problem.place}: {problem.detail}\n")
        if len(found) > LISTED:
            lines.append(f"  … and {len(found) - LISTED:,} more\n", style="dim")
    lines.rstrip()
    return lines


def _table(rows: list[tuple[str, str]], header: tuple[str, str] | None = None) -> Table:
    """Two columns; with a header the second one is numbers."""
    name, value = header or ("", "")
    table = Table(show_header=header is not None, box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column(name)
    table.add_column(value, justify="right" if header else "left")
    for name, value in rows:
        # As Text, so that brackets in a label are not taken for mark-up.
        table.add_row(Text(_printable(name)), Text(value))
    return table


def _printable(text: str) -> str:
    """The text, or its `repr` if it holds control characters that a terminal would obey."""
    return text if text.isprintable() else repr(text)
