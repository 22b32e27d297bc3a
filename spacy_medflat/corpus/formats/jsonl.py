"""Plain JSON lines: `{"id", "text", "entities": [{"start", "end", "label", "text", "score"}]}`, with exclusive ends."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from pydantic import StrictFloat, StrictInt

from ..record import Entity, OnSkip, Problem, Record
from .json_io import Fields, OpenModel, Text, TextModel, read_parsed, with_meta, write_objects


class _Entity(OpenModel):
    start: StrictInt
    end: StrictInt
    label: Text
    text: Text | None = None
    score: StrictInt | StrictFloat | None = None


class _Record(TextModel):
    entities: list[_Entity] | None = None


def read_jsonl(path: Path, on_skip: OnSkip | None = None) -> Iterator[Record]:
    """Read a plain JSON-lines file; blank lines are skipped, other fields go to `meta`, those of an entity to its own.

    An entity may have its text and a score.

    on_skip (callable or None): takes a problem for each line that cannot be read; None to raise an error.
    YIELDS (Record): each text.
    RAISES (MedflatError): not UTF-8, not JSON, or not of this shape.
    """
    for parsed, record in read_parsed(path, _Record, "plain JSON-lines", on_skip):
        record.entities = [_read(e) for e in parsed.entities or ()]
        yield record


def _read(entity: _Entity) -> Entity:
    return Entity(entity.start, entity.end, entity.label, entity.text, entity.score, entity.model_extra or {})


def write_jsonl(records: Iterable[Record], path: Path) -> list[Problem]:
    """Write one record a line, with the fields of `meta` beside `text`.

    RETURNS (list of Problem): what was left out.
    """
    return write_objects(records, path, _fields, entity_names=_Entity.model_fields, keeps_scores=True)


def _fields(record: Record) -> Fields:
    return {"text": record.text, "entities": [_entity(entity) for entity in record.entities]}


def _entity(entity: Entity) -> dict[str, Any]:
    extra = {"text": entity.surface, "score": entity.score}
    known = {name: value for name, value in extra.items() if value is not None}
    own = {"start": entity.start, "end": entity.end, "label": entity.label, **known}
    return with_meta(entity, own)
