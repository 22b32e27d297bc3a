"""doccano exports: JSON lines with `label` or `labels` triples, or with `entities` and their offsets."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from pydantic import StrictInt

from ..record import Entity, Problem, Record
from .json_io import Fields, OpenModel, Text, TextModel, read_parsed, write_objects

_Triple = tuple[StrictInt, StrictInt, Text]


class _Entity(OpenModel):
    # Only relations refer to the identifier, and relations are not read.
    id: Any = None
    start_offset: StrictInt
    end_offset: StrictInt
    label: Text


class _Record(TextModel):
    label: list[_Triple] | None = None
    labels: list[_Triple] | None = None
    entities: list[_Entity] | None = None
    relations: list[Any] | None = None


def read_doccano(path: Path) -> Iterator[Record]:
    """Read a doccano export of either shape. Relations are reported, other fields go to `meta`.

    YIELDS (Record): each text.
    RAISES (MedflatError): not UTF-8, not JSON, or not of this shape.
    """
    for parsed, record in read_parsed(path, _Record, "doccano"):
        record.entities = [Entity(*triple) for triple in [*(parsed.label or ()), *(parsed.labels or ())]]
        record.entities += [Entity(e.start_offset, e.end_offset, e.label) for e in parsed.entities or ()]
        if parsed.relations:
            detail = f"{len(parsed.relations)} relations"
            record.problems.append(Problem("ignored_annotation", record.place, detail))
        yield record


def write_doccano(records: Iterable[Record], path: Path) -> list[Problem]:
    """Write the `label` triples that doccano imports, with the fields of `meta` beside `text`.

    RETURNS (list of Problem): what was left out.
    """
    return write_objects(records, path, _fields, reserved=_Record.model_fields)


def _fields(record: Record) -> Fields:
    return {"text": record.text, "label": [[e.start, e.end, e.label] for e in record.entities]}
