"""Records to annotated spaCy documents and back."""

from collections.abc import Callable
from itertools import repeat
from typing import Any

import numpy as np
from spacy.tokens import Doc, Span

from ..errors import amount
from ..partial_annotation import USER_DATA_KEY, set_weight, unknown_key, weight_of
from .record import Entity, Problem, Record, describe
from .said import said_of, set_said


def record_to_doc(record: Record, make_doc: Callable[[str], Doc], spans_key: str) -> tuple[Doc, list[Problem]]:
    """Make a document of the record's text and put its entities into `doc.spans[spans_key]`.

    make_doc (callable): a tokenizer, or `nlp.make_doc`.
    RETURNS (Doc, list of Problem): the document, and the entities that fit no token boundaries.
    """
    doc = make_doc(record.text)
    return doc, annotate(doc, record, spans_key)


def annotate(doc: Doc, record: Record, spans_key: str) -> list[Problem]:
    """Put a record's entities into `doc.spans[spans_key]`, its identifier, fields and weight into `doc.user_data`.

    The span group is set even if it stays empty. Unknown spans, if there are any, go into the group
    `unknown_key(spans_key)`. What the fields of an entity say about it, as `assertion`, becomes attributes of its span,
    see `said.set_said`; a value that does not exist does not, and is reported. Scores, if every entity has one, go
    to a group's `attrs["scores"]`; if only some have one, they are lost and reported.

    doc (Doc): a document with the record's text.
    RETURNS (list of Problem): an "unaligned" problem for each entity that is skipped because the text has no token
        boundary at its start or end, or because its offsets are no stretch of the text; "unknown_value" for attributes;
        "dropped_meta" for scores.
    """
    doc.user_data[USER_DATA_KEY] = {"id": record.id, "meta": record.meta}
    kept, problems = _set_group(doc, spans_key, record.entities, record)
    if any(entity.meta for entity in kept):
        doc.user_data[USER_DATA_KEY]["entity_meta"] = [entity.meta for entity in kept]
    if record.unknown:
        kept, of_unknown = _set_group(doc, unknown_key(spans_key), record.unknown, record)
        problems += of_unknown
        if any(entity.meta for entity in kept):
            doc.user_data[USER_DATA_KEY]["unknown_meta"] = [entity.meta for entity in kept]
    if record.weight != 1.0:
        set_weight(doc, record.weight)
    return problems


def _set_group(doc: Doc, key: str, entities: list[Entity], record: Record) -> tuple[list[Entity], list[Problem]]:
    """Make a span group of entities.

    RETURNS (list of Entity, list of Problem): those that are in it; see `annotate`.
    """
    spans, kept, problems = [], [], []
    for entity in entities:
        # Doc.char_span moves offsets outside the text into it.
        in_text = 0 <= entity.start < entity.end <= len(record.text)
        span = doc.char_span(entity.start, entity.end, label=entity.label) if in_text else None
        if span is None:
            problems.append(Problem("unaligned", record.place, describe(entity, record.text)))
        else:
            spans.append(span)
            kept.append(entity)
            place = describe(entity, record.text)
            wrong = set_said(span, entity.meta)
            problems += [Problem("unknown_value", record.place, f"{place}: {detail}") for detail in wrong]
    doc.spans[key] = spans
    scores = [entity.score for entity in kept]
    if scores and None not in scores:
        doc.spans[key].attrs["scores"] = np.array(scores, dtype=np.float32)
    elif lost := sum(score is not None for score in scores):
        detail = f"scores ×{lost}: {amount(len(scores) - lost, 'entity')} without one"
        problems.append(Problem("dropped_meta", record.place, detail))
    return kept, problems


def doc_to_record(doc: Doc, spans_key: str, place: str = "") -> Record:
    """Read text and spans of a document, all else that `annotate` stored, and what a pipeline said of the spans.

    A document without this span group gives no entities, and a "missing_spans_key" problem if it is annotated in other
    groups or in `doc.ents`.

    place (str): where the document came from, for messages.
    RETURNS (Record): what the document holds.
    RAISES (MedflatError): the weight of the document is none.
    """
    stored = doc.user_data.get(USER_DATA_KEY, {})
    record = Record(doc.text, id=stored.get("id", ""), place=place, meta=fields_of(doc), weight=weight_of(doc))
    beside = unknown_key(spans_key)
    others = [*(repr(key) for key in sorted(doc.spans) if key != beside), *(["doc.ents"] if doc.ents else [])]
    record.unknown = _entities(doc, beside, stored.get("unknown_meta", ()))
    if spans_key in doc.spans:
        record.entities = _entities(doc, spans_key, stored.get("entity_meta", ()))
        if not record.entities and (doc.ents or any(group for key, group in doc.spans.items() if key != beside)):
            others.remove(repr(spans_key))
            detail = f"span group {spans_key!r} is empty; the document has {', '.join(others)}"
            record.problems.append(Problem("ignored_annotation", place, detail))
    elif others:
        detail = f"no span group {spans_key!r}; the document has {', '.join(others)}"
        record.problems.append(Problem("missing_spans_key", place, detail))
    return record


def _entities(doc: Doc, key: str, stored: Any) -> list[Entity]:
    found = spans_with_scores(doc, key)
    metas = _as_lists(stored)
    # Other components may have changed the spans.
    metas = metas if len(metas) == len(found) else [{} for _ in found]
    return [
        Entity(span.start_char, span.end_char, span.label_, score=score, meta={**_without_empty(said_of(span)), **meta})
        for (span, score), meta in zip(found, metas, strict=True)
    ]


def spans_with_scores(doc: Doc, spans_key: str) -> list[tuple[Span, float | None]]:
    """The spans of a group, each with its score or, if the group has none, None; empty if there is no such group."""
    group = doc.spans.get(spans_key, ())
    scores: Any = group.attrs.get("scores") if len(group) else ()
    # Other components may keep other things under this name.
    values = map(float, scores) if np.shape(scores) == (len(group),) else repeat(None, len(group))
    return list(zip(group, values, strict=True))


def _without_empty(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value}


def fields_of(doc: Doc) -> dict[str, Any]:
    """The fields that the text of a Doc had in its file, as `kind`."""
    fields: dict[str, Any] = _as_lists(doc.user_data.get(USER_DATA_KEY, {}).get("meta", {}))
    return fields


def _as_lists(value: Any) -> Any:
    """Lists for tuples at every depth: spaCy reads the lists of `user_data` back as tuples."""
    if isinstance(value, dict):
        return {key: _as_lists(item) for key, item in value.items()}
    return [_as_lists(item) for item in value] if isinstance(value, (list, tuple)) else value
