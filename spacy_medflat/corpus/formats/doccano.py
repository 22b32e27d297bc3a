"""doccano exports: JSON lines with `label` or `labels` triples, or with `entities` and their offsets."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from pydantic import StrictInt

from ...errors import CorpusError
from ..record import Entity, OnSkip, Problem, Record
from .json_io import Fields, OpenModel, Text, TextModel, read_parsed, with_meta, write_objects

_Triple = tuple[StrictInt, StrictInt, Text]


class _Entity(OpenModel):
    start_offset: StrictInt
    end_offset: StrictInt
    label: Text


class _Record(TextModel):
    label: list[_Triple] | None = None
    labels: list[_Triple] | None = None
    entities: list[_Entity] | None = None
    relations: list[Any] | None = None


def read_doccano(path: Path, on_skip: OnSkip | None = None) -> Iterator[Record]:
    """Read a doccano export of either shape. Relations are reported, other fields go to `meta`,
    those of an entity to its own.

    on_skip (callable or None): takes a problem for each line that cannot be read; None to raise an error.
    YIELDS (Record): each text.
    RAISES (MedflatError): not UTF-8, not JSON, not of this shape, or of two shapes in one record.
    """
    for parsed, record in read_parsed(path, _Record, "doccano", on_skip, "label"):
        if len(found := [name for name in ("label", "labels", "entities") if getattr(parsed, name)]) > 1:
            raise CorpusError(f"{record.place}: annotations in {' and '.join(found)} at once; keep one of the fields")
        record.entities = [Entity(*triple) for triple in parsed.label or parsed.labels or ()]
        record.entities += [
            Entity(e.start_offset, e.end_offset, e.label, meta=e.model_extra or {}) for e in parsed.entities or ()
        ]
        if parsed.relations:
            detail = f"{len(parsed.relations)} relations"
            record.problems.append(Problem("ignored_annotation", record.place, detail))
        yield record


def write_doccano(records: Iterable[Record], path: Path) -> list[Problem]:
    """Write the `label` triples that doccano imports, or `entities` if these have other fields such as identifiers.

    The fields of `meta` stand beside `text`.

    RETURNS (list of Problem): what was left out.
    """
    return write_objects(records, path, _fields, reserved=_Record.model_fields, entity_names=_Entity.model_fields)


def _fields(record: Record) -> Fields:
    if any(entity.meta for entity in record.entities):
        own = ({"start_offset": e.start, "end_offset": e.end, "label": e.label} for e in record.entities)
        entities = [with_meta(e, fields) for e, fields in zip(record.entities, own, strict=True)]
        return {"text": record.text, "entities": entities}
    return {"text": record.text, "label": [[e.start, e.end, e.label] for e in record.entities]}
