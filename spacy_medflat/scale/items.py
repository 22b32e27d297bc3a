"""What travels between reading, annotating and writing. All of it can be pickled; none of it holds a Doc."""

from dataclasses import dataclass
from typing import Any, NamedTuple

from pydantic import BaseModel

_NUMBERED_BY_LINE = {"jsonl", "lines", "csv", "broken"}


class Item(NamedTuple):
    """One text as it stands in its source, not yet parsed.

    kind (str): the function of `parse` that understands `raw`; `broken` if the reader met no text.
    name (str): the source.
    number (int): counts from 1 within the source; 0 if the source is one text.
    raw (Any): what was read, or the reason why it is broken.
    """

    kind: str
    name: str
    number: int
    raw: Any

    @property
    def place(self) -> str:
        """Where the text came from, for messages."""
        unit = "line" if self.kind in _NUMBERED_BY_LINE else "record"
        return f"{self.name} {unit} {self.number}" if self.number else self.name


@dataclass(slots=True)
class Document:
    """A text of an input.

    text (str): the text.
    fields (dict): all fields of its source, those of text and identifier included, in their order there.
    id (Any): its identifier, if it has one.
    place (str): see `Item.place`.
    """

    text: str
    fields: dict[str, Any]
    id: Any
    place: str


class FoundEntity(NamedTuple):
    """An entity.

    start, end (int): character offsets, end exclusive.
    label (str): its type.
    score (float or None): a probability, rounded to 4 digits.
    text (str): its characters.
    said (dict or None): what the pipeline says about it, as fields; see `corpus.said`.
    """

    start: int
    end: int
    label: str
    score: float | None
    text: str
    said: dict[str, Any] | None = None

    def fields(self) -> dict[str, Any]:
        """What is written of it."""
        own = {"start": self.start, "end": self.end, "label": self.label, "score": self.score, "text": self.text}
        return {**own, **(self.said or {})}


class Failure(NamedTuple):
    """A text that is not in the output.

    id (Any): its identifier, if it is known.
    place (str): see `Item.place`.
    reason (str): why it is not there.
    """

    id: Any
    place: str
    reason: str


@dataclass(slots=True)
class InputPart:
    """Neighbouring texts, to be annotated together.

    number (int): counts from 1.
    items (list of Item): the texts.
    position (int): bytes of the inputs that are read when this part is.
    digest (str or None): of the items, if they were piped.
    """

    number: int
    items: list[Item]
    position: int
    digest: str | None = None


class Receipt(BaseModel):
    """What is remembered of a part that is done.

    documents, entities (int): how many are in its files.
    failures (list of Failure): the texts that are not.
    left_out (dict): counts of what the format could not hold, by kind of problem, see `corpus.kinds`.
    digest (str or None): see `InputPart`.
    """

    documents: int
    entities: int
    failures: list[Failure]
    left_out: dict[str, int]
    digest: str | None


@dataclass(slots=True)
class OutputPart:
    """A part that is done.

    number, position (int): see `InputPart`.
    files (dict of bytes): by name within the part.
    receipt (Receipt): what is in them.
    """

    number: int
    files: dict[str, bytes]
    receipt: Receipt
    position: int
