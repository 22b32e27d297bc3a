"""Tables of the report, and what their figures mean."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from ..confusion import ERROR_KINDS
from ..scores import Counts, Difference, Spread
from .results import Results
from .summary import SPLITS, Detail, Line

RESULTS_NOTE = (
    "P, R and F1 are micro scores in percent over all gold spans, strict match of start, end and type, means over the "
    "seeds. The thresholds are those of the pipelines. The difference is that of F1 to the row named under “against”; "
    "its 95 % interval and the share of resamples in which it is not above 0 are from a paired bootstrap over the dev "
    "texts (2,000 resamples), which knows nothing of other seeds. “tuned F1” has a threshold for each label, chosen on "
    "one half of the dev texts and scored on the other, both ways. The pipeline of a run is its best evaluation on the "
    "same dev texts, which flatters it, or its last one, where the matrix says “scored: last”. Seconds are those of "
    "training and its evaluations, on a machine that may have done other things."
)
SPLIT_NOTES = dict(
    zip(
        SPLITS,
        (
            "The label.",
            "The depth. “alone”: neither in another span nor around one; “outermost”: around one and in none; 2 and "
            "more: the last of a chain of so many spans, each inside the one before. Precision is over found spans "
            "that lie so among found spans, recall over gold spans that lie so among gold spans.",
            "Characters of the span.",
            "“seen”: an entity of the training texts has the same characters and the same label.",
        ),
        strict=True,
    )
)
ERRORS_NOTE = (
    "Of found spans that are not gold, and of gold spans that were not found, each against those of the other side. "
    "“wrong label”: same start and end, another label; “wrong boundary”: same label, overlapping; “wrong label and "
    "boundary”: another label, overlapping; otherwise the span is spurious, or missed. Means over the seeds."
)
CURVES_NOTE = (
    "Left: precision and recall of the spans above each threshold, one threshold for all labels, nesting not resolved; "
    "the dot is what the pipelines' own thresholds give. Right: of the spans of a score, how many are right; on the "
    "dashed line a score is a probability, below it the row is too sure, and “off” is the mean distance in points "
    "(ECE). Spans of all seeds together, from the lowest score that is stored."
)
_ERROR_NAMES = {"type": "wrong label", "boundary": "wrong boundary", "both": "wrong label and boundary"}


def scored_on(results: Results) -> str:
    """The size of what the rows were scored on."""
    spans = sum(len(gold) for gold in results.gold)
    return f"{len(results.texts):,} dev texts with {spans:,} gold spans (checksum {results.texts.checksum})."


@dataclass(frozen=True)
class Table:
    """Cells of plain text.

    head (list of str): names of the columns.
    rows (list of lists of str): their cells.
    text_columns (int): so many columns hold text, the others numbers.
    marked (set of int): the rows that stand out.
    """

    head: list[str]
    rows: list[list[str]]
    text_columns: int = 1
    marked: set[int] = field(default_factory=set)

    def markdown(self) -> str:
        """A table as GitHub reads it."""
        rule = ["---" if i < self.text_columns else "---:" for i in range(len(self.head))]
        lines = [self.head, rule, *self.rows]
        return "\n".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |" for line in lines)


def results_table(found: list[Line], best: str) -> Table:
    """The rows that were run; that of the name `best` stands out."""
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
    """The rows that were not run, or not all of their seeds, and why; see `RowResult.note` for `messages`."""
    notes = [(row, row.note(messages=messages)) for row in results.rows]
    return Table(["row", "what", "why"], [[row.name, row.title, note] for row, note in notes if note], 3)


def split_table(details: Sequence[Detail], split: str) -> Table:
    """Scores of the classes of a split. Gold is that of one seed.

    details (sequence of Detail): rows of the matrix, side by side.
    split (str): one of `SPLITS`.
    """
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
    rows = []
    for kind in ERROR_KINDS:
        row = [_ERROR_NAMES.get(kind, "spurious or missed")]
        for detail in details:
            row += [f"{counts[kind] / detail.seeds:,.0f}" for counts in (detail.wrong, detail.lost)]
        rows.append(row)
    return Table(head, rows)


def error_name(kind: str, *, is_gold: bool) -> str:
    """A kind of error in plain words.

    kind (str): of `ERROR_KINDS`.
    is_gold (bool): whether it is a gold span that was not found, not a found span that is not gold.
    """
    return ("missed" if is_gold else "spurious") if kind == "alone" else _ERROR_NAMES[kind]


def percent(value: float) -> str:
    """A share of 1 in percent."""
    return f"{100 * value:.2f}"


def over_seeds(values: Spread) -> str:
    """Least, greatest and standard deviation; nothing of a single seed."""
    if values.sd is None:
        return ""
    return f"{percent(values.low)}–{percent(values.high)}, sd {percent(values.sd)}"


def points(value: float) -> str:
    """A difference of shares of 1 in percentage points, with its sign."""
    return f"{100 * value:+.2f}".replace("-", "−")


def _difference(gap: Difference | None) -> list[str]:
    if gap is None:
        return ["", "", ""]
    return [points(gap.mean), f"{points(gap.low)} to {points(gap.high)}", f"{gap.not_above:.3f}"]
