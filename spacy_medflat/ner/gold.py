"""Gold spans of training examples, as the head needs them, and a count of those it can never find."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from spacy.attrs import ORTH
from spacy.tokens import Span
from spacy.training import Example

from ..partial_annotation import unknown_key, weight_of
from .spans import GoldSpans, UnknownSpans

Row = tuple[int, int, int, int]
Ints = NDArray[np.int64]


@dataclass
class GoldCoverage:
    """How much of the gold a head can learn at all.

    gold (int): all gold spans, the same span and label once.
    unaligned (int): those that do not align with the tokens of the predicted text.
    unknown (Counter): those of unknown labels, by label.
    lost (dict): those that the head cannot learn, by its reason.
    undecided (int): spans that may be entities or not; none of them counts as gold.
    """

    gold: int = 0
    unaligned: int = 0
    unknown: Counter[str] = field(default_factory=Counter)
    lost: dict[str, int] = field(default_factory=dict)
    undecided: int = 0

    @property
    def reached(self) -> int:
        """Gold spans within reach."""
        return self.gold - self.unaligned - self.unknown.total() - sum(self.lost.values())

    def __str__(self) -> str:
        share = self.reached / self.gold if self.gold else 0.0
        unknown = f" ({', '.join(sorted(self.unknown))})" if self.unknown else ""
        lost = "".join(f"{count:,} {reason}, " for reason, count in self.lost.items())
        undecided = f"; {self.undecided:,} more may be entities or not" if self.undecided else ""
        return (
            f"{self.reached:,} of {self.gold:,} gold spans within reach ({share:.2%}); out of reach: "
            f"{self.unaligned:,} not aligned with tokens, {lost}"
            f"{self.unknown.total():,} of unknown labels{unknown}, 0 cut by windows{undecided}"
        )


def read_gold(examples: Iterable[Example], key: str, labels: Iterable[str]) -> tuple[GoldSpans, GoldCoverage]:
    """Read the gold spans of a batch that align with its tokens and have a known label.

    key (str): the span group of the reference. A reference without this group is not annotated. The group
        `unknown_key(key)` has spans that may be entities or not.
    labels (iterable of str): the known labels, in the order of the head.
    RETURNS (GoldSpans, GoldCoverage): the spans; how many there are, and were left out.
    RAISES (MedflatError): the weight of a text is none.
    """
    index = {label: i for i, label in enumerate(labels)}
    coverage = GoldCoverage()
    gold: set[Row] = set()
    unknown: set[Row] = set()
    annotated, weights = [], []
    for doc, example in enumerate(examples):
        annotated.append(key in example.reference.spans)
        weights.append(weight_of(example.reference))
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
                gold.add((doc, start, end, index[label]))
        coverage.unaligned += len(spans) - found
        if undecided := example.reference.spans.get(unknown_key(key)):
            aligned = aligned_spans(example, undecided)
            unknown.update((doc, start, end, index[label]) for start, end, label in aligned if label in index)
    unknown -= gold
    coverage.undecided = len(unknown)
    known = np.array(annotated, dtype=np.bool_)
    vague = UnknownSpans(*_columns(unknown)) if unknown else None
    weight = None if set(weights) <= {1.0} else np.array(weights)
    return GoldSpans(*_columns(gold), known, vague, weight), coverage


def _columns(rows: set[Row]) -> tuple[Ints, Ints, Ints, Ints]:
    doc, start, end, label = np.array(sorted(rows), dtype=np.int64).reshape(-1, 4).T
    return doc, start, end, label


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
