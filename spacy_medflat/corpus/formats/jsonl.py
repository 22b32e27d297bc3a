"""Plain JSON lines: `{"id", "text", "entities": [{"start", "end", "label", "text", "score"}]}`, with exclusive ends."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from pydantic import StrictFloat, StrictInt

from ..record import Entity, Problem, Record
from .json_io import Fields, OpenModel, Text, ignored_fields, read_objects, split_id, validated, write_records


class _Entity(OpenModel):
    start: StrictInt
    end: StrictInt
    label: Text
    text: Text | None = None
    score: StrictInt | StrictFloat | None = None


class _Record(OpenModel):
    text: Text
    entities: list[_Entity] | None = None


def read_jsonl(path: Path) -> Iterator[Record]:
    """Records of a plain JSON-lines file; blank lines are passed over, other fields go to `meta`.

    An entity may have its text and a score.

    RAISES (CorpusError): Not UTF-8, not JSON, or not of this shape.
    """
    for place, raw in read_objects(path):
        parsed = validated(_Record, raw, place, "plain JSON-lines")
        entities = parsed.entities or []
        identifier, meta = split_id(parsed.model_extra)
        spans = [Entity(e.start, e.end, e.label, e.text, e.score) for e in entities]
        yield Record(parsed.text, spans, identifier, place, meta, ignored_fields(entities, place))


def write_jsonl(records: Iterable[Record], path: Path) -> list[Problem]:
    """Write one record a line, with the fields of `meta` beside `text`.

    RETURNS (list[Problem]): What was left out.
    """
    return write_records(records, path, _fields, keeps_scores=True)


def _fields(record: Record) -> Fields:
    return {"text": record.text, "entities": [_entity(entity) for entity in record.entities]}


def _entity(entity: Entity) -> dict[str, Any]:
    extra = {"text": entity.surface, "score": entity.score}
    known = {name: value for name, value in extra.items() if value is not None}
    return {"start": entity.start, "end": entity.end, "label": entity.label, **known}
