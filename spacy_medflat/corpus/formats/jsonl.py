"""Plain JSON lines: `{"id", "text", "entities": [{"start", "end", "label", "text", "score"}]}`, with exclusive ends."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from pydantic import StrictFloat, StrictInt

from ..record import Entity, Problem, Record
from .json_io import Fields, OpenModel, Text, TextModel, read_parsed, write_objects


class _Entity(OpenModel):
    start: StrictInt
    end: StrictInt
    label: Text
    text: Text | None = None
    score: StrictInt | StrictFloat | None = None


class _Record(TextModel):
    entities: list[_Entity] | None = None


def read_jsonl(path: Path) -> Iterator[Record]:
    """Read a plain JSON-lines file; blank lines are skipped, other fields go to `meta`.

    An entity may have its text and a score.

    YIELDS (Record): each text.
    RAISES (MedflatError): not UTF-8, not JSON, or not of this shape.
    """
    for parsed, record in read_parsed(path, _Record, "plain JSON-lines"):
        record.entities = [Entity(e.start, e.end, e.label, e.text, e.score) for e in parsed.entities or ()]
        yield record


def write_jsonl(records: Iterable[Record], path: Path) -> list[Problem]:
    """Write one record a line, with the fields of `meta` beside `text`.

    RETURNS (list of Problem): what was left out.
    """
    return write_objects(records, path, _fields, keeps_scores=True)


def _fields(record: Record) -> Fields:
    return {"text": record.text, "entities": [_entity(entity) for entity in record.entities]}


def _entity(entity: Entity) -> dict[str, Any]:
    extra = {"text": entity.surface, "score": entity.score}
    known = {name: value for name, value in extra.items() if value is not None}
    return {"start": entity.start, "end": entity.end, "label": entity.label, **known}
