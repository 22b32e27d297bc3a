"""Charts as SVG that stands inside a page. Text stays text, in a font of the reader's."""

import io
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from ..errors import MedflatError
from ..ner.reliability import Reliability

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_SETTINGS: Any = {
    "svg.fonttype": "none",
    # Identifiers inside the file are random otherwise.
    "svg.hashsalt": "medflat",
    "font.family": ["sans-serif"],
    "font.size": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
}


def reliability_diagram(lines: Sequence[tuple[str, str, Reliability]]) -> str:
    """How many spans of a score are right; the larger the dot, the more spans.

    lines (sequence of (str, str, Reliability)): name, colour and reliability of each line.
    RETURNS (str): SVG.
    RAISES (MedflatError): matplotlib is not installed.
    """
    with chart(6, 4.5) as (axes, svg):
        axes.plot([0, 100], [0, 100], color="#999", linewidth=1, linestyle="--")
        for name, of_line, found in lines:
            score, right = ([100 * bin_[i] for bin_ in found.bins] for i in (0, 1))
            most = max((count for *_, count in found.bins), default=1)
            sizes = [20 + 180 * count / most for *_, count in found.bins]
            axes.plot(score, right, color=of_line, linewidth=1.2, label=f"{name}: {100 * found.error:.1f} off")
            axes.scatter(score, right, s=sizes, color=of_line, alpha=0.6, clip_on=False)
        axes.set(xlabel="score in percent", ylabel="right in percent", xlim=(0, 100), ylim=(0, 102))
        axes.grid(alpha=0.3)
        axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2, frameon=False)
    return svg[0]


def check_matplotlib() -> None:
    """Make sure that charts can be drawn.

    RAISES (MedflatError): matplotlib is not installed.
    """
    try:
        import matplotlib  # noqa: F401
    except ImportError as error:
        raise MedflatError("the report needs matplotlib: pip install spacy-medflat[viz]") from error


@contextmanager
def chart(width: float, height: float) -> "Iterator[tuple[Axes, list[str]]]":
    """Axes to draw on, and a list that holds the SVG afterwards. Sizes in inches."""
    check_matplotlib()
    import matplotlib as mpl
    from matplotlib.figure import Figure

    svg: list[str] = []
    with mpl.rc_context(_SETTINGS), warnings.catch_warnings():
        # Labels may be Chinese: the browser has the glyphs that matplotlib lacks.
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        figure = Figure(figsize=(width, height), layout="constrained")
        yield figure.subplots(), svg
        file = io.StringIO()
        figure.savefig(file, format="svg", metadata={"Date": None, "Creator": None})
    content = file.getvalue()
    # Without the XML head, which has no place inside HTML.
    svg.append(content[content.index("<svg") :])


def colour(index: int) -> str:
    """A colour that the first fifteen lines of a chart do not share."""
    return f"C{index % 10}" if index < 10 else ("#393b79", "#637939", "#8c6d31", "#843c39", "#7b4173")[index % 5]
