"""What every reader yields and every writer takes: a text with its entities, and what was wrong with it."""

from dataclasses import dataclass, field
from typing import Any

from ..errors import clipped


@dataclass(frozen=True, slots=True)
class Entity:
    """A labelled stretch of a text.

    `start` and `end` are 0-based character (code point) offsets, `end` is exclusive. Readers yield what the
    file says, so nothing is promised about the order or the range of the two; see `check_records`. `surface`
    is the entity's text as the file repeats it, if it does, and `score` its probability if a pipeline found it;
    neither takes part in comparison.
    """

    start: int
    end: int
    label: str
    surface: str | None = field(default=None, compare=False)
    score: float | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is broken, doubtful or cannot be expressed. `kind` is a key of `kinds.KINDS`."""

    kind: str
    place: str
    detail: str

    def __str__(self) -> str:
        return f"{self.place}: {self.kind}: {self.detail}"


@dataclass(slots=True)
class Record:
    """A text and its entities, as found in a file.

    `id` is the source's own identifier, empty if it has none. `place` says where the record came from, for
    people (`train.json record 17`, `notes.jsonl line 4`; both count from 1). `meta` holds the source's other
    fields. `problems` is what the reader met and could not express as an entity; `check_records` moves it
    into its report.
    """

    text: str
    entities: list[Entity] = field(default_factory=list)
    id: str = ""
    place: str = ""
    meta: dict[str, Any] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list, compare=False)


def lost_scores(record: Record) -> list[Problem]:
    """A problem, for writers to formats without scores, if an entity of the record has one."""
    has_scores = any(entity.score is not None for entity in record.entities)
    return [Problem("dropped_meta", record.place, "scores")] if has_scores else []


def describe(entity: Entity, text: str) -> str:
    """An entity for messages: label, offsets, and the text they cover."""
    covered = text[max(entity.start, 0) : max(entity.end, 0)]
    return f"{clipped(entity.label)} {entity.start}-{entity.end} {clipped(covered)}"
