"""Plain JSON lines: `{"id", "text", "entities": [{"start", "end", "label", "text", "score"}]}`, with exclusive ends.

Spans that may be entities or not stand in `unknown`, like entities; what a training multiplies the loss of the text
by, in `loss_weight`. Both may be missing.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, StrictFloat, StrictInt

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
    unknown: list[_Entity] | None = None
    # Not `weight`, which notes have of their patients.
    loss_weight: Annotated[StrictInt | StrictFloat, Field(ge=0, allow_inf_nan=False)] | None = None


def read_jsonl(path: Path, on_skip: OnSkip | None = None) -> Iterator[Record]:
    """Read a plain JSON-lines file; blank lines are skipped, other fields go to `meta`, those of an entity to its own.

    An entity may have its text and a score.

    on_skip (callable or None): takes a problem for each line that cannot be read; None to raise an error.
    YIELDS (Record): each text.
    RAISES (MedflatError): not UTF-8, not JSON, or not of this shape.
    """
    for parsed, record in read_parsed(path, _Record, "plain JSON-lines", on_skip):
        record.entities = [_read(e) for e in parsed.entities or ()]
        record.unknown = [_read(e) for e in parsed.unknown or ()]
        record.weight = 1.0 if parsed.loss_weight is None else float(parsed.loss_weight)
        yield record


def _read(entity: _Entity) -> Entity:
    return Entity(entity.start, entity.end, entity.label, entity.text, entity.score, entity.model_extra or {})


def write_jsonl(records: Iterable[Record], path: Path) -> list[Problem]:
    """Write one record a line, with the fields of `meta` beside `text`.

    RETURNS (list of Problem): what was left out.
    """
    return write_objects(
        records,
        path,
        _fields,
        reserved=_Record.model_fields,
        entity_names=_Entity.model_fields,
        keeps_scores=True,
        keeps_uncertainty=True,
    )


def _fields(record: Record) -> Fields:
    own: Fields = {"text": record.text, "entities": [_entity(entity) for entity in record.entities]}
    if record.unknown:
        own["unknown"] = [_entity(entity) for entity in record.unknown]
    if record.weight != 1.0:
        own["loss_weight"] = record.weight
    return own


def _entity(entity: Entity) -> dict[str, Any]:
    extra = {"text": entity.surface, "score": entity.score}
    known = {name: value for name, value in extra.items() if value is not None}
    own = {"start": entity.start, "end": entity.end, "label": entity.label, **known}
    return with_meta(entity, own)
