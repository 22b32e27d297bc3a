"""What travels between reading, annotating and writing. All of it can be pickled; none of it holds a Doc."""

from dataclasses import dataclass
from typing import Any, NamedTuple

UNITS = {"jsonl": "line", "lines": "line", "csv": "line", "broken": "line"}


class Item(NamedTuple):
    """One text as it stands in its source, not yet parsed.

    `kind` names the function of `parse` that understands `raw`; `broken` says that the reader met no text but a
    reason why not. `number` counts from 1 within the source `name`; 0 if the source is one text.
    """

    kind: str
    name: str
    number: int
    raw: Any

    @property
    def place(self) -> str:
        """Where the text came from, for people."""
        return f"{self.name} {UNITS.get(self.kind, 'record')} {self.number}" if self.number else self.name


@dataclass(slots=True)
class Document:
    """A text with all fields of its source, those of text and identifier included, in their order there."""

    text: str
    fields: dict[str, Any]
    id: Any
    place: str


class Found(NamedTuple):
    """An entity. `start` and `end` are character offsets, the end exclusive; `score` is a probability of 4 digits."""

    start: int
    end: int
    label: str
    score: float | None
    text: str


class Failure(NamedTuple):
    """A text that is not in the output, and why."""

    id: Any
    place: str
    reason: str


@dataclass(slots=True)
class InputPart:
    """Neighbouring texts, to be annotated together.

    number: Counts from 1.
    position: Bytes of the inputs that are read when this part is.
    digest: Of the items, if the input cannot be told by its files.
    """

    number: int
    items: list[Item]
    position: int
    digest: str | None = None


@dataclass(slots=True)
class OutputPart:
    """A part that is done: its files, by name within the part, and what is to be remembered of it.

    left_out: What the format could not hold, by kind of problem (see `corpus.kinds`).
    """

    number: int
    files: dict[str, bytes]
    documents: int
    entities: int
    failures: list[Failure]
    left_out: dict[str, int]
    position: int
    digest: str | None
