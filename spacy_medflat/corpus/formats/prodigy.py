"""Prodigy tasks: JSON lines with `text`, `spans` with exclusive ends, and the annotator's `answer`."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Literal

from pydantic import StrictFloat, StrictInt

from ..record import Entity, OnSkip, Problem, Record
from .json_io import Fields, OpenModel, Text, TextModel, read_parsed, with_meta, write_objects


class _Span(OpenModel):
    start: StrictInt
    end: StrictInt
    label: Text
    score: StrictInt | StrictFloat | None = None


class _Task(TextModel):
    spans: list[_Span] | None = None
    answer: Literal["accept", "reject", "ignore"] | None = None


def read_prodigy(path: Path, on_skip: OnSkip | None = None) -> Iterator[Record]:
    """Read the tasks of `prodigy db-out`. Other fields, `answer` among them, go to `meta`, those of a span to its own.

    Tasks that the annotator rejected or ignored are not gold: they are skipped.

    on_skip (callable or None): takes a problem for each task that is skipped; None to raise an error at what cannot be
        read.
    YIELDS (Record): each task.
    RAISES (MedflatError): not UTF-8, not JSON, or not of this shape.
    """
    for parsed, record in read_parsed(path, _Task, "Prodigy", on_skip, "spans"):
        spans = parsed.spans or ()
        if parsed.answer in ("reject", "ignore"):
            if on_skip:
                on_skip(Problem("rejected", record.place, f"answer {parsed.answer!r}, spans: {len(spans)}"))
            continue
        record.entities = [Entity(s.start, s.end, s.label, score=s.score, meta=s.model_extra or {}) for s in spans]
        if parsed.answer:
            record.meta["answer"] = parsed.answer
        yield record


def write_prodigy(records: Iterable[Record], path: Path) -> list[Problem]:
    """Write one task a line, with the fields of `meta` beside `text`.

    RETURNS (list of Problem): what was left out.
    """
    return write_objects(records, path, _fields, entity_names=_Span.model_fields, keeps_scores=True)


def _fields(record: Record) -> Fields:
    return {"text": record.text, "spans": [_span(entity) for entity in record.entities]}


def _span(entity: Entity) -> Fields:
    score = {} if entity.score is None else {"score": entity.score}
    return with_meta(entity, {"start": entity.start, "end": entity.end, "label": entity.label, **score})
