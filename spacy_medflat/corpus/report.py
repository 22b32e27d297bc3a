"""Counts of a corpus: texts, labels, nesting, lengths, and every problem that the check found."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Any

from ..errors import CorpusError
from .kinds import BROKEN
from .nesting import find_overlaps
from .record import Problem, Record


@dataclass
class Report:
    """Accumulates over the records of a corpus.

    strict (bool): raise an error at the first problem of a kind in `kinds.BROKEN`.
    texts_read, entities_read (int): what the reader found.
    texts, entities, characters (int): what the check kept, as is all that follows.
    labels (Counter of str): entities by label.
    unknown (Counter of str): spans that may be entities or not, by label.
    nested (int): entities that hold another one or lie in one.
    depths (Counter of int): entities by depth; 1 is in no other.
    nesting_pairs (Counter of (str, str)): labels of every outer and inner entity.
    same_span (int): pairs of entities with the same offsets, which are not nested.
    text_lengths, entity_lengths (Counter of int): histograms, in characters.
    problems (dict): each kind with its problems in the order they were met.
    """

    strict: bool = False
    texts_read: int = 0
    entities_read: int = 0
    texts: int = 0
    entities: int = 0
    characters: int = 0
    labels: Counter[str] = field(default_factory=Counter)
    unknown: Counter[str] = field(default_factory=Counter)
    nested: int = 0
    depths: Counter[int] = field(default_factory=Counter)
    nesting_pairs: Counter[tuple[str, str]] = field(default_factory=Counter)
    same_span: int = 0
    text_lengths: Counter[int] = field(default_factory=Counter)
    entity_lengths: Counter[int] = field(default_factory=Counter)
    problems: dict[str, list[Problem]] = field(default_factory=dict)

    def count_read(self, record: Record) -> None:
        """Count a record as the reader yielded it."""
        self.texts_read += 1
        self.entities_read += len(record.entities)

    def skip(self, problem: Problem) -> None:
        """Count a text that the reader skipped, with the reason."""
        self.texts_read += 1
        self.add_problems([problem])

    def add_problems(self, problems: Iterable[Problem]) -> None:
        """Enter problems under their kinds.

        RAISES (CorpusError): in strict mode, one of a kind in `kinds.BROKEN`.
        """
        for problem in problems:
            self.problems.setdefault(problem.kind, []).append(problem)
            if self.strict and problem.kind in BROKEN:
                raise CorpusError(f"{problem}; mend it, or leave out strict to have it counted and reported")

    def add(self, record: Record) -> None:
        """Count a record that passed the check: its entities must be sound and not repeated."""
        overlaps = find_overlaps(record.entities)
        self.texts += 1
        self.entities += len(record.entities)
        self.characters += len(record.text)
        self.labels.update(entity.label for entity in record.entities)
        self.unknown.update(span.label for span in record.unknown)
        self.nested += len(overlaps.nested_entities())
        self.depths.update(overlaps.depths)
        self.nesting_pairs.update((outer.label, inner.label) for outer, inner in overlaps.nested)
        self.same_span += len(overlaps.same_span)
        self.text_lengths[len(record.text)] += 1
        self.entity_lengths.update(entity.end - entity.start for entity in record.entities)

    @property
    def nested_share(self) -> float:
        """Share of the entities that take part in a nesting, from 0 to 1."""
        return self.nested / max(self.entities, 1)

    @property
    def same_label_pairs(self) -> int:
        """Number of nesting pairs whose labels are the same."""
        return sum(count for (outer, inner), count in self.nesting_pairs.items() if outer == inner)

    @property
    def different_label_pairs(self) -> int:
        """Number of nesting pairs whose labels differ."""
        return self.nesting_pairs.total() - self.same_label_pairs

    def to_dict(self) -> dict[str, Any]:
        """Everything as JSON-able values, the same for the same corpus. All problems are listed."""
        return {
            "texts": {"read": self.texts_read, "kept": self.texts, "characters": self.characters},
            "entities": {"read": self.entities_read, "kept": self.entities, "labels": dict(ranked(self.labels))},
            "unknown": dict(ranked(self.unknown)),
            "nesting": {
                "entities": self.nested,
                "share": round(self.nested_share, 6),
                "same_label_pairs": self.same_label_pairs,
                "different_label_pairs": self.different_label_pairs,
                "pairs": [
                    {"outer": outer, "inner": inner, "count": count}
                    for (outer, inner), count in ranked(self.nesting_pairs)
                ],
                "depths": {str(depth): count for depth, count in sorted(self.depths.items())},
                "same_span_pairs": self.same_span,
            },
            "text_lengths": summarize(self.text_lengths),
            "entity_lengths": summarize(self.entity_lengths),
            "problems": {
                kind: {"count": len(found), "items": [{"place": p.place, "detail": p.detail} for p in found]}
                for kind, found in sorted(self.problems.items())
            },
        }


def ranked(counts: Counter[Any]) -> list[tuple[Any, int]]:
    """Items and counts, the most frequent first, equal ones in order of the item."""
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))


def percentile(histogram: Mapping[int, int], percent: int) -> int:
    """Find the smallest length that at least `percent` % of the items do not exceed.

    histogram (mapping of int to int): number of items of each length.
    RETURNS (int): the length; 0 without items.
    """
    lengths = sorted(histogram)
    enough = sum(histogram.values()) * percent
    cumulative = accumulate(histogram[length] for length in lengths)
    return next((length for length, count in zip(lengths, cumulative, strict=True) if count * 100 >= enough), 0)


def summarize(histogram: Mapping[int, int]) -> dict[str, Any]:
    """Median, 90th and 99th percentile, maximum, and the histogram itself in order of length."""
    return {
        "median": percentile(histogram, 50),
        "p90": percentile(histogram, 90),
        "p99": percentile(histogram, 99),
        "max": max(histogram, default=0),
        "histogram": {str(length): histogram[length] for length in sorted(histogram)},
    }
