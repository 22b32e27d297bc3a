"""What a calibration gains, as a page with a reliability diagram."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from markupsafe import Markup

from ..ner.reliability import Reliability
from .charts import colour, reliability_diagram
from .page import templates


class CalibrationRow(NamedTuple):
    """A way to score, on texts that it was not fitted on.

    name (str): what the page calls it.
    f1 (float): 0 to 1.
    reliability (Reliability): of its scores.
    chosen (bool): whether the pipeline scores so.
    """

    name: str
    f1: float
    reliability: Reliability
    chosen: bool


def render_calibration(
    title: str, note: str, rows: Sequence[CalibrationRow], thresholds: Mapping[str, float], gain: str = ""
) -> str:
    """The page. It needs no network and no other file.

    title, note, gain (str): heading, what was read, and what words and training texts gain.
    rows (sequence of CalibrationRow): in their order.
    thresholds (mapping of str to float): by label.
    RETURNS (str): HTML.
    RAISES (MedflatError): matplotlib is not installed.
    """
    chart = reliability_diagram([(row.name, colour(i), row.reliability) for i, row in enumerate(rows)])
    return (
        templates("spacy_medflat.visual")
        .get_template("calibration.html.j2")
        .render(
            title=title,
            note=note,
            rows=[
                {
                    "name": row.name,
                    "f1": f"{100 * row.f1:.2f}",
                    "error": f"{row.reliability.error:.4f}",
                    "chosen": row.chosen,
                }
                for row in rows
            ],
            gain=gain,
            chart=Markup(chart),
            thresholds=thresholds,
        )
    )
