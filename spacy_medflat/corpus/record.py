"""What every reader yields and every writer takes: a text with its entities, and the problems found in it."""

from collections import Counter
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import Any

from ..errors import MedflatError, clipped


@dataclass(frozen=True, slots=True)
class Entity:
    """A labelled stretch of a text.

    Readers yield what the file says, so nothing is promised about order and range of the offsets; see `check_records`.
    `surface`, `score` and `meta` take no part in comparison.

    start, end (int): characters (code points) from 0, `end` exclusive.
    label (str): the type.
    surface (str or None): the entity's text as the file repeats it.
    score (float or None): its probability, from 0 to 1, if a pipeline found it.
    meta (dict): the source's other fields of the entity.
    """

    start: int
    end: int
    label: str
    surface: str | None = field(default=None, compare=False)
    score: float | None = field(default=None, compare=False)
    meta: dict[str, Any] = field(default_factory=dict, compare=False)


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is broken, doubtful or cannot be expressed.

    kind (str): a key of `kinds.KINDS`.
    place (str): where it was found, for messages.
    detail (str): what, with the value.
    """

    kind: str
    place: str
    detail: str

    def __str__(self) -> str:
        return f"{self.place}: {self.kind}: {self.detail}"


@dataclass(slots=True)
class Record:
    """A text and its entities, as found in a file.

    text (str): every character as it stands in the file.
    entities (list of Entity): in the file's order.
    id (str): the source's own identifier, empty if it has none.
    place (str): where the record came from, for messages: `train.json record 17`, `notes.jsonl line 4`, from 1.
    meta (dict): the source's other fields.
    problems (list of Problem): what the reader could not express as an entity; `check_records` moves it into its
        report.
    unknown (list of Entity): what may be an entity or not, so that a training is not to call it a negative.
    weight (float): what a training multiplies the loss of the text by.
    """

    text: str
    entities: list[Entity] = field(default_factory=list)
    id: str = ""
    place: str = ""
    meta: dict[str, Any] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list, compare=False)
    unknown: list[Entity] = field(default_factory=list)
    weight: float = 1.0


OnSkip = Callable[[Problem], None]
"""What readers tell of texts that they skip."""


def skip_unreadable(on_skip: OnSkip | None, place: str, error: MedflatError) -> None:
    """Report a text that cannot be read, or raise its error if nothing takes reports.

    on_skip (callable or None): takes the problem.
    place (str): where the text is; the error's message may begin with it.
    error (MedflatError): why it cannot be read.
    """
    if on_skip is None:
        raise error
    on_skip(Problem("unreadable", place, str(error).removeprefix(place).lstrip(": ")))


def lost_scores(record: Record) -> list[Problem]:
    """Report the scores of a record, for writers to formats that cannot hold them.

    RETURNS (list of Problem): one if an entity has a score, otherwise none.
    """
    has_scores = any(entity.score is not None for entity in record.entities)
    return [Problem("dropped_meta", record.place, "scores")] if has_scores else []


def lost_uncertainty(record: Record) -> list[Problem]:
    """Report unknown spans and the weight of a record, for writers to formats that cannot hold them."""
    lost = []
    if record.unknown:
        lost.append(Problem("dropped_unknown", record.place, f"unknown spans ×{len(record.unknown)}"))
    if record.weight != 1.0:
        lost.append(Problem("dropped_meta", record.place, f"weight {record.weight:g}"))
    return lost


def lost_entity_fields(record: Record, taken: Collection[str] | None = None) -> list[Problem]:
    """Report the other fields of a record's entities, for writers to formats that cannot hold them.

    taken (collection of str or None): the names that the format cannot hold; None for all.
    RETURNS (list of Problem): one for each name.
    """
    counts = Counter(key for entity in record.entities for key in entity.meta if taken is None or key in taken)
    return [Problem("dropped_meta", record.place, f"entity field {clipped(k)} ×{n}") for k, n in sorted(counts.items())]


def lost_fields(record: Record, name: str = "") -> list[Problem]:
    """Report what a format that holds only texts and entities loses of a record: all else.

    name (str): the identifier that is written, empty if the format has no place for one.
    RETURNS (list of Problem): one for each loss.
    """
    lost = [f"field {clipped(key)}" for key in record.meta if key != "id"]
    if record.id and record.id != name:
        lost.append(f"identifier {clipped(record.id)}{f', written as {name!r}' if name else ''}")
    fields = [Problem("dropped_meta", record.place, detail) for detail in lost]
    return [*fields, *lost_scores(record), *lost_entity_fields(record), *lost_uncertainty(record)]


def describe(entity: Entity, text: str) -> str:
    """An entity for messages: label, offsets, and the text they cover."""
    covered = text[max(entity.start, 0) : max(entity.end, 0)]
    return f"{clipped(entity.label)} {entity.start}-{entity.end} {clipped(covered)}"
