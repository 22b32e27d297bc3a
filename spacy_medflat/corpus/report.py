"""Counts of a corpus: texts, labels, nesting, lengths, and everything the check found."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from .nesting import find_overlaps
from .record import Problem, Record


def percentile(histogram: Mapping[int, int], percent: int) -> int:
    """The smallest length that at least `percent` % of the items do not exceed; 0 without items."""
    rank = -(-sum(histogram.values()) * percent // 100)
    length = 0
    for length in sorted(histogram):
        rank -= histogram[length]
        if rank <= 0:
            break
    return length


def summarize(histogram: Mapping[int, int]) -> dict[str, Any]:
    """Median, 90th and 99th percentile, maximum, and the histogram itself in order of length."""
    return {
        "median": percentile(histogram, 50),
        "p90": percentile(histogram, 90),
        "p99": percentile(histogram, 99),
        "max": max(histogram, default=0),
        "histogram": {str(length): histogram[length] for length in sorted(histogram)},
    }


class Report:
    """Accumulates over the records of a corpus.

    `texts_read` and `entities_read` count what the reader found; `texts`, `entities`, `characters` and all
    that follows count what the check kept. `nested` counts entities that hold another one or lie in one,
    `depths` counts entities by depth (1: in no other), the nesting pairs count every outer and inner entity,
    `same_span` counts pairs of entities with the same offsets, which are no nesting. `problems` maps each
    kind to its problems in the order they were met.
    """

    def __init__(self) -> None:
        self.texts_read = 0
        self.entities_read = 0
        self.texts = 0
        self.entities = 0
        self.characters = 0
        self.labels: Counter[str] = Counter()
        self.nested = 0
        self.depths: Counter[int] = Counter()
        self.nesting_pairs: Counter[tuple[str, str]] = Counter()
        self.same_span = 0
        self.text_lengths: Counter[int] = Counter()
        self.entity_lengths: Counter[int] = Counter()
        self.problems: dict[str, list[Problem]] = {}

    def count_read(self, record: Record) -> None:
        """Count a record as the reader yielded it."""
        self.texts_read += 1
        self.entities_read += len(record.entities)

    def add_problem(self, problem: Problem) -> None:
        """Enter a problem under its kind."""
        self.problems.setdefault(problem.kind, []).append(problem)

    def add(self, record: Record) -> None:
        """Count a record that passed the check: its entities must be sound and not repeated."""
        overlaps = find_overlaps(record.entities)
        self.texts += 1
        self.entities += len(record.entities)
        self.characters += len(record.text)
        self.labels.update(entity.label for entity in record.entities)
        self.nested += len(overlaps.nested_entities())
        self.depths.update(overlaps.depths)
        self.nesting_pairs.update((outer.label, inner.label) for outer, inner in overlaps.nested)
        self.same_span += len(overlaps.same_span)
        self.text_lengths[len(record.text)] += 1
        self.entity_lengths.update(entity.end - entity.start for entity in record.entities)

    @property
    def nested_share(self) -> float:
        """Share of the entities that take part in a nesting, from 0 to 1."""
        return self.nested / self.entities if self.entities else 0.0

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
            "entities": {
                "read": self.entities_read,
                "kept": self.entities,
                "labels": dict(ranked(self.labels)),
            },
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
