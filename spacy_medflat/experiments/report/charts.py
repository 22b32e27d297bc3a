"""The charts of the report, as SVG inside the page. Text stays text, in a font of the reader's."""

from collections.abc import Mapping, Sequence

from ...visual.charts import chart, colour, reliability_diagram
from ..scores import score
from .curves import Curves
from .results import Results
from .summary import Detail, Line
from .tables import split_score


def training_curves(results: Results) -> str:
    """Dev F1 by step: a line for each seed, in the colour of its row."""
    with chart(9, 4.5) as (axes, svg):
        for i, row in enumerate(results.done):
            for j, run in enumerate(row.runs):
                label = row.name if j == 0 else None
                # The untrained pipeline's score would squeeze all others together.
                first = int(len(run.log.steps) > 1 and run.log.steps[0] == 0)
                percent = [100 * value for value in run.log.scores[first:]]
                axes.plot(run.log.steps[first:], percent, color=colour(i), linewidth=1.2, marker=".", label=label)
        axes.set_xlabel("step")
        axes.set_ylabel("dev F1, default thresholds")
        axes.grid(alpha=0.3)
        axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5), frameon=False)
    return svg[0]


def seed_spread(found: Sequence[Line]) -> str:
    """F1 of every seed as a dot, and their mean as a bar, the rows below each other."""
    with chart(9, 1.0 + 0.32 * len(found)) as (axes, svg):
        for i, line in enumerate(found):
            values = [100 * score(run.counts).f for run in line.row.runs]
            axes.plot(values, [i] * len(values), "o", color=colour(i), alpha=0.7, clip_on=False)
            axes.plot([100 * line.f.mean], [i], "|", color="black", markersize=16, markeredgewidth=1.5, clip_on=False)
        axes.set_yticks(range(len(found)), [line.row.name for line in found])
        axes.set_ylim(len(found) - 0.4, -0.6)
        axes.margins(x=0.08)
        axes.set_xlabel("dev F1, default thresholds")
        axes.grid(axis="x", alpha=0.3)
    return svg[0]


def type_bars(results: Results, details: Sequence[Detail]) -> str:
    """F1 of each type, the rows beside each other."""
    names = sorted({name for detail in details for name in detail.splits["type"]})
    order = [row.name for row in results.done]
    height = 0.8 / len(details)
    with chart(9, 1.0 + 0.45 * len(names)) as (axes, svg):
        for i, detail in enumerate(details):
            values = [100 * split_score(detail.splits["type"].get(name))[2] for name in names]
            places = [j + (i - (len(details) - 1) / 2) * height for j in range(len(names))]
            bars = axes.barh(places, values, height, color=colour(order.index(detail.row.name)), label=detail.row.name)
            axes.bar_label(bars, fmt="%.1f", padding=3, fontsize=8)
        axes.set_yticks(range(len(names)), names)
        axes.invert_yaxis()
        axes.set_xlabel("dev F1")
        axes.legend(loc="center left", bbox_to_anchor=(1.02, 0.5), frameon=False)
    return svg[0]


def precision_recall_curves(results: Results, found: Sequence[Line], curves: Mapping[str, Curves]) -> str:
    """Precision over recall as the threshold falls; a dot where the thresholds of the pipelines are."""
    order = [row.name for row in results.done]
    with chart(6, 4.5) as (axes, svg):
        for name, curve in curves.items():
            of_row = colour(order.index(name))
            line = next(line for line in found if line.row.name == name)
            axes.plot(100 * curve.recall, 100 * curve.precision, color=of_row, linewidth=1.4, label=name)
            axes.plot([100 * line.r.mean], [100 * line.p.mean], "o", color=of_row, clip_on=False)
        axes.set(xlabel="recall", ylabel="precision", xlim=(0, 100), ylim=(0, 102))
        axes.grid(alpha=0.3)
        axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2, frameon=False)
    return svg[0]


def reliability_curves(results: Results, curves: Mapping[str, Curves]) -> str:
    """How many spans of a score are right."""
    order = [row.name for row in results.done]
    lines = [(name, colour(order.index(name)), curve.reliability) for name, curve in curves.items()]
    return reliability_diagram(lines)
