"""doccano exports: JSON lines with `label` or `labels` triples, or with `entities` and their offsets."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from pydantic import StrictInt

from ..record import Entity, Problem, Record
from .json_io import Fields, OpenModel, Text, ignored_fields, read_objects, split_id, validated, write_records

_Triple = tuple[StrictInt, StrictInt, Text]


class _Entity(OpenModel):
    # Only relations refer to the identifier, and relations are not read.
    id: Any = None
    start_offset: StrictInt
    end_offset: StrictInt
    label: Text


class _Record(OpenModel):
    text: Text
    label: list[_Triple] | None = None
    labels: list[_Triple] | None = None
    entities: list[_Entity] | None = None
    relations: list[Any] | None = None


def read_doccano(path: Path) -> Iterator[Record]:
    """Records of a doccano export of either shape. Relations are reported, other fields go to `meta`.

    RAISES (CorpusError): Not UTF-8, not JSON, or not of this shape.
    """
    for place, raw in read_objects(path):
        parsed = validated(_Record, raw, place, "doccano")
        identifier, meta = split_id(parsed.model_extra)
        problems = ignored_fields(parsed.entities or (), place)
        if parsed.relations:
            problems.append(Problem("ignored_annotation", place, f"{len(parsed.relations)} relations"))
        yield Record(parsed.text, _spans(parsed), identifier, place, meta, problems)


def write_doccano(records: Iterable[Record], path: Path) -> list[Problem]:
    """Write the `label` triples that doccano imports, with the fields of `meta` beside `text`.

    RETURNS (list[Problem]): What was left out.
    """
    return write_records(records, path, _fields, reserved=_Record.model_fields)


def _spans(parsed: _Record) -> list[Entity]:
    triples = [*(parsed.label or ()), *(parsed.labels or ())]
    return [Entity(*triple) for triple in triples] + [
        Entity(e.start_offset, e.end_offset, e.label) for e in parsed.entities or ()
    ]


def _fields(record: Record) -> Fields:
    return {"text": record.text, "label": [[e.start, e.end, e.label] for e in record.entities]}
