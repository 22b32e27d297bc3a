"""How the entities of one text lie to each other: nested, crossing, or on the same span."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from itertools import accumulate

from .record import Entity

Pair = tuple[Entity, Entity]


@dataclass(slots=True)
class Overlaps:
    """Pairs of entities that share characters, and how deep each entity lies.

    nested (list of pairs): outer and inner entity, the inner one shorter; an entity inside two others gives two pairs.
    crossing (list of pairs): entities of which neither holds the other, the earlier first.
    same_span (list of pairs): entities with the same offsets.
    depths (list of int): for each entity, in order of start, 1 plus the longest chain of entities around it.
    """

    nested: list[Pair] = field(default_factory=list)
    crossing: list[Pair] = field(default_factory=list)
    same_span: list[Pair] = field(default_factory=list)
    depths: list[int] = field(default_factory=list)

    def nested_entities(self) -> set[Entity]:
        """The entities that hold another one or lie in one."""
        return {entity for pair in self.nested for entity in pair}


def find_overlaps(entities: Sequence[Entity]) -> Overlaps:
    """Compare the entities of a text with each other.

    The cost is that of sorting them, plus one step for each pair that overlaps.

    entities (sequence of Entity): each with start < end.
    RETURNS (Overlaps): what they share.
    """
    found = Overlaps()
    open_: list[tuple[Entity, int]] = []
    for entity in sorted(entities, key=lambda e: (e.start, -e.end, e.label)):
        open_ = [(other, depth) for other, depth in open_ if other.end > entity.start]
        depth = 1
        for other, other_depth in open_:
            if (other.start, other.end) == (entity.start, entity.end):
                found.same_span.append((other, entity))
            elif other.end >= entity.end:
                found.nested.append((other, entity))
                depth = max(depth, other_depth + 1)
            else:
                found.crossing.append((other, entity))
        open_.append((entity, depth))
        found.depths.append(depth)
    return found


def nested_parts(entities: Collection[Entity]) -> tuple[set[Entity], set[Entity]]:
    """Which entities hold a shorter one, and which lie in a longer one, without listing the pairs.

    The cost is that of sorting them, however they overlap.

    entities (collection of Entity): each with start < end.
    RETURNS (set of Entity, set of Entity): outer ones; inner ones.
    """
    spans = sorted({(entity.start, -entity.end) for entity in entities})
    ends = [-end for _, end in spans]
    # Of the spans that come before, each begins no later: one of them holds this span if the farthest end is as far.
    farthest = accumulate([0, *ends], max)
    # Of those that come after, each begins no earlier: this span holds one of them if the nearest end is as near.
    nearest = [*reversed([*accumulate(reversed(ends), min)][:-1]), float("inf")]
    inner = {span for span, end, before in zip(spans, ends, farthest, strict=False) if before >= end}
    outer = {span for span, end, after in zip(spans, ends, nearest, strict=False) if after <= end}
    return (
        {entity for entity in entities if (entity.start, -entity.end) in outer},
        {entity for entity in entities if (entity.start, -entity.end) in inner},
    )
