"""What the figures of a report mean, in the words that page and Markdown share."""

from __future__ import annotations

from .results import Results
from .summary import SPLITS

TABLE = (
    "P, R and F1 are micro scores in percent over all gold spans, strict match of start, end and type, means over the "
    "seeds. The thresholds are those of the pipelines. The difference is that of F1 to the row named under “against”; "
    "its 95 % interval and the share of resamples in which it is not above 0 are from a paired bootstrap over the dev "
    "texts (2,000 resamples), which knows nothing of other seeds. “tuned F1” has a threshold for each label, chosen on "
    "one half of the dev texts and scored on the other, both ways. The pipeline of a run is its best evaluation on the "
    "same dev texts, which flatters it, or its last one, where the matrix says “scored: last”. Seconds are those of "
    "training and its evaluations, on a machine that may have done other things."
)
SPLIT_WORDS = dict(
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
KINDS = (
    "Of found spans that are not gold, and of gold spans that were not found, each against those of the other side. "
    "“type”: same start and end, another label; “boundary”: same label, overlapping; “both”: another label, "
    "overlapping; otherwise the span is spurious, or missed. Means over the seeds."
)


def scored_on(results: Results) -> str:
    """The size of what the rows were scored on."""
    spans = sum(len(gold) for gold in results.gold)
    return f"{len(results.texts):,} dev texts with {spans:,} gold spans (checksum {results.texts.checksum})."
