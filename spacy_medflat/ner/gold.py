"""Gold spans of training examples, as the head needs them, and a count of those it can never find."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np
from spacy.attrs import ORTH
from spacy.tokens import Span
from spacy.training import Example

from .spans import GoldSpans


@dataclass
class GoldCoverage:
    """How much of the gold a head can learn at all.

    gold (int): all gold spans, the same span and label once.
    unaligned (int): those that do not align with the tokens of the predicted text.
    unknown (Counter): those of unknown labels, by label.
    lost (dict): those that the head cannot learn, by its reason.
    """

    gold: int = 0
    unaligned: int = 0
    unknown: Counter[str] = field(default_factory=Counter)
    lost: dict[str, int] = field(default_factory=dict)

    @property
    def reached(self) -> int:
        """Gold spans within reach."""
        return self.gold - self.unaligned - self.unknown.total() - sum(self.lost.values())

    def __str__(self) -> str:
        share = self.reached / self.gold if self.gold else 0.0
        unknown = f" ({', '.join(sorted(self.unknown))})" if self.unknown else ""
        lost = "".join(f"{count:,} {reason}, " for reason, count in self.lost.items())
        return (
            f"{self.reached:,} of {self.gold:,} gold spans within reach ({share:.2%}); out of reach: "
            f"{self.unaligned:,} not aligned with tokens, {lost}"
            f"{self.unknown.total():,} of unknown labels{unknown}, 0 cut by windows"
        )


def read_gold(examples: Iterable[Example], key: str, labels: Iterable[str]) -> tuple[GoldSpans, GoldCoverage]:
    """Read the gold spans of a batch that align with its tokens and have a known label.

    key (str): the span group of the reference. A reference without this group is not annotated.
    labels (iterable of str): the known labels, in the order of the head.
    RETURNS (GoldSpans, GoldCoverage): the spans; how many there are, and were left out.
    """
    index = {label: i for i, label in enumerate(labels)}
    coverage = GoldCoverage()
    rows: list[tuple[int, int, int, int]] = []
    annotated = []
    for doc, example in enumerate(examples):
        annotated.append(key in example.reference.spans)
        if not annotated[-1]:
            continue
        # The same span and label twice is one gold span to learn.
        spans = {(span.start, span.end, span.label): span for span in example.reference.spans[key]}.values()
        coverage.gold += len(spans)
        found = 0
        for start, end, label in aligned_spans(example, spans):
            found += 1
            if label not in index:
                coverage.unknown[label] += 1
            else:
                rows.append((doc, start, end, index[label]))
        coverage.unaligned += len(spans) - found
    doc_column, start, end, label_column = np.array(sorted(set(rows)), dtype=np.int64).reshape(-1, 4).T
    return GoldSpans(doc_column, start, end, label_column, np.array(annotated, dtype=np.bool_)), coverage


def aligned_spans(example: Example, spans: Iterable[Span]) -> Iterator[tuple[int, int, str]]:
    """The spans of the reference that align with tokens of the predicted text.

    YIELDS (int, int, str): start and end token in the predicted text, and label.
    """
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
