"""Gold spans of training examples, as the head needs them, and a count of those it can never find."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np
from spacy.attrs import ORTH
from spacy.tokens import Span
from spacy.training import Example

from .loss import GoldSpans


@dataclass
class Coverage:
    """How much of the gold a head can find at all.

    gold (int): all gold spans. The others count spans that are out of reach: `unaligned` with the tokens of the
    predicted text, `too_wide` for the head, or of a label that is `unknown` to it (by label).
    """

    gold: int = 0
    unaligned: int = 0
    too_wide: int = 0
    unknown: Counter[str] = field(default_factory=Counter)

    @property
    def reached(self) -> int:
        """Gold spans within reach."""
        return self.gold - self.unaligned - self.too_wide - self.unknown.total()

    def __str__(self) -> str:
        share = self.reached / self.gold if self.gold else 0.0
        unknown = f" ({', '.join(sorted(self.unknown))})" if self.unknown else ""
        return (
            f"{self.reached:,} of {self.gold:,} gold spans within reach ({share:.2%}); out of reach: "
            f"{self.unaligned:,} not aligned with tokens, {self.too_wide:,} too wide, "
            f"{self.unknown.total():,} of unknown labels{unknown}, 0 cut by windows"
        )


def read_gold(
    examples: Iterable[Example], key: str, labels: Iterable[str], max_width: int
) -> tuple[GoldSpans, Coverage]:
    """Read the gold spans of a batch.

    key (str): the span group of the reference. A reference without this group is not annotated.
    labels: the labels the head knows, in its order.
    max_width (int): the most tokens in a span.
    """
    index = {label: i for i, label in enumerate(labels)}
    coverage = Coverage()
    rows: list[tuple[int, int, int, int]] = []
    annotated = []
    for doc, example in enumerate(examples):
        annotated.append(key in example.reference.spans)
        if not annotated[-1]:
            continue
        spans = example.reference.spans[key]
        coverage.gold += len(spans)
        found = 0
        for start, end, label in aligned_spans(example, spans):
            found += 1
            if end - start > max_width:
                coverage.too_wide += 1
            elif label not in index:
                coverage.unknown[label] += 1
            else:
                rows.append((doc, start, end, index[label]))
        coverage.unaligned += len(spans) - found
    # The same span and label twice is one gold span to learn.
    doc_column, start, end, label_column = np.array(sorted(set(rows)), dtype=np.int64).reshape(-1, 4).T
    return GoldSpans(doc_column, start, end, label_column, np.array(annotated, dtype=np.bool_)), coverage


def aligned_spans(example: Example, spans: Iterable[Span]) -> Iterator[tuple[int, int, str]]:
    """Start and end token in the predicted text, and label, of the reference's spans that align with it."""
    predicted, reference = example.predicted, example.reference
    if len(predicted) == len(reference) and (
        predicted is reference or np.array_equal(predicted.to_array([ORTH]), reference.to_array([ORTH]))
    ):
        for span in spans:
            if span.end > span.start:
                yield span.start, span.end, span.label_
        return
    for span in spans:
        for aligned in example.get_aligned_spans_y2x([span], allow_overlap=True):
            yield aligned.start, aligned.end, span.label_
