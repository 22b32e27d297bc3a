"""CMeEE, the CBLUE layout: a JSON array (or JSON lines) of texts whose entities have an inclusive end."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from pydantic import StrictInt

from ..record import Entity, OnSkip, Problem, Record
from .json_io import Fields, OpenModel, Text, TextModel, read_parsed, with_meta, write_objects


class _Entity(OpenModel):
    start_idx: StrictInt
    end_idx: StrictInt
    type: Text
    entity: Text | None = None


class _Record(TextModel):
    entities: list[_Entity] | None = None


def read_cmeee(path: Path, on_skip: OnSkip | None = None) -> Iterator[Record]:
    """Read a CMeEE file. `entities` may be absent, as in the test set; other fields go to `meta`,
    those of an entity to its own.

    on_skip (callable or None): takes a problem for each object that cannot be read; None to raise an error.
    YIELDS (Record): each text.
    RAISES (MedflatError): not UTF-8, not JSON, or not of this shape.
    """
    for parsed, record in read_parsed(path, _Record, "CMeEE", on_skip):
        record.entities = [
            Entity(e.start_idx, e.end_idx + 1, e.type, e.entity, meta=e.model_extra or {})
            for e in parsed.entities or ()
        ]
        yield record


def write_cmeee(records: Iterable[Record], path: Path) -> list[Problem]:
    """Write a JSON array, or JSON lines if the file is called `.jsonl`. Fields of `meta` stand beside `text`.

    RETURNS (list of Problem): what was left out.
    """
    return write_objects(records, path, _fields, entity_names=_Entity.model_fields, array=path.suffix != ".jsonl")


def _fields(record: Record) -> Fields:
    entities = [
        with_meta(
            e,
            {
                "start_idx": e.start,
                "end_idx": e.end - 1,
                "type": e.label,
                "entity": record.text[e.start : e.end] if e.surface is None else e.surface,
            },
        )
        for e in record.entities
    ]
    return {"text": record.text, "entities": entities}
