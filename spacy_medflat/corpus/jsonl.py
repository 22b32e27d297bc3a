"""Plain JSON lines: `{"id", "text", "entities": [{"start", "end", "label"}]}`, with exclusive ends."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from pydantic import StrictInt

from .jsonread import OpenModel, Text, ignored_fields, read_objects, split_id, validated
from .jsonwrite import Fields, write_records
from .record import Entity, Problem, Record


class _Entity(OpenModel):
    start: StrictInt
    end: StrictInt
    label: Text


class _Record(OpenModel):
    text: Text
    entities: list[_Entity] | None = None


def read_jsonl(path: Path) -> Iterator[Record]:
    """Records of a plain JSON-lines file; blank lines are passed over, other fields go to `meta`.

    RAISES (CorpusError): Not UTF-8, not JSON, or not of this shape.
    """
    for place, raw in read_objects(path):
        parsed = validated(_Record, raw, place, "plain JSON-lines")
        entities = parsed.entities or []
        identifier, meta = split_id(parsed.model_extra)
        spans = [Entity(e.start, e.end, e.label) for e in entities]
        yield Record(parsed.text, spans, identifier, place, meta, ignored_fields(entities, place))


def write_jsonl(records: Iterable[Record], path: Path) -> list[Problem]:
    """Write one record a line, with the fields of `meta` beside `text`.

    RETURNS (list[Problem]): What was left out.
    """
    return write_records(records, path, _fields)


def _fields(record: Record) -> Fields:
    entities = [{"start": e.start, "end": e.end, "label": e.label} for e in record.entities]
    return {"text": record.text, "entities": entities}
