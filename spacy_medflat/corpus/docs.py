"""Records to annotated spaCy documents and back."""

from collections.abc import Callable
from itertools import repeat
from typing import Any

import numpy as np
from spacy.tokens import Doc, Span

from ..context.attributes import Context, context_fields, context_of, read_context, set_context
from ..errors import ContextError, amount
from .record import Entity, Problem, Record, describe

USER_DATA_KEY = "medflat"


def record_to_doc(record: Record, make_doc: Callable[[str], Doc], spans_key: str) -> tuple[Doc, list[Problem]]:
    """Make a document of the record's text and put its entities into `doc.spans[spans_key]`.

    make_doc (callable): a tokenizer, or `nlp.make_doc`.
    RETURNS (Doc, list of Problem): the document, and the entities that fit no token boundaries.
    """
    doc = make_doc(record.text)
    return doc, annotate(doc, record, spans_key)


def annotate(doc: Doc, record: Record, spans_key: str) -> list[Problem]:
    """Put a record's entities into `doc.spans[spans_key]`, its identifier and fields into `doc.user_data`.

    The span group is set even if it stays empty. What the fields of an entity say about it, as `assertion`, becomes
    attributes of its span, see `context.attributes`; a value that does not exist does not, and is reported. Scores, if
    every entity has one, go to its `attrs["scores"]`; if only some have one, they are lost and reported.

    doc (Doc): a document with the record's text.
    RETURNS (list of Problem): an "unaligned" problem for each entity that is skipped because the text has no token
        boundary at its start or end, or because its offsets are no stretch of the text; "unknown_value" for attributes;
        "dropped_meta" for scores.
    """
    spans = []
    scores = []
    entity_meta = []
    problems = []
    for entity in record.entities:
        # Doc.char_span moves offsets outside the text into it.
        in_text = 0 <= entity.start < entity.end <= len(record.text)
        span = doc.char_span(entity.start, entity.end, label=entity.label) if in_text else None
        if span is None:
            problems.append(Problem("unaligned", record.place, describe(entity, record.text)))
        else:
            spans.append(span)
            scores.append(entity.score)
            entity_meta.append(entity.meta)
            problems.extend(_set_context(span, entity, record))
    doc.spans[spans_key] = spans
    if scores and None not in scores:
        doc.spans[spans_key].attrs["scores"] = np.array(scores, dtype=np.float32)
    elif lost := sum(score is not None for score in scores):
        detail = f"scores ×{lost}: {amount(len(scores) - lost, 'entity')} without one"
        problems.append(Problem("dropped_meta", record.place, detail))
    doc.user_data[USER_DATA_KEY] = {"id": record.id, "meta": record.meta}
    if any(entity_meta):
        doc.user_data[USER_DATA_KEY]["entity_meta"] = entity_meta
    return problems


def _set_context(span: Span, entity: Entity, record: Record) -> list[Problem]:
    try:
        said = read_context(entity.meta)
    except ContextError as error:
        return [Problem("unknown_value", record.place, f"{describe(entity, record.text)}: {error}")]
    if said != Context():
        set_context(span, said)
    return []


def doc_to_record(doc: Doc, spans_key: str, place: str = "") -> Record:
    """Read the text and the spans of a document, with the scores, the identifier and the fields that `annotate` stored,
    and what a pipeline said about the spans.

    A document without this span group gives no entities, and a "missing_spans_key" problem if it is annotated in other
    groups or in `doc.ents`.

    place (str): where the document came from, for messages.
    RETURNS (Record): what the document holds.
    """
    stored = doc.user_data.get(USER_DATA_KEY, {})
    record = Record(doc.text, id=stored.get("id", ""), place=place, meta=_as_lists(stored.get("meta", {})))
    others = [*map(repr, sorted(doc.spans)), *(["doc.ents"] if doc.ents else [])]
    if spans_key in doc.spans:
        found = spans_with_scores(doc, spans_key)
        metas = _as_lists(stored.get("entity_meta", ()))
        # Other components may have changed the spans.
        metas = metas if len(metas) == len(found) else [{} for _ in found]
        record.entities = [
            Entity(span.start_char, span.end_char, span.label_, score=score, meta={**_said(span), **meta})
            for (span, score), meta in zip(found, metas, strict=True)
        ]
        if not found and (doc.ents or any(doc.spans.values())):
            others.remove(repr(spans_key))
            detail = f"span group {spans_key!r} is empty; the document has {', '.join(others)}"
            record.problems.append(Problem("ignored_annotation", place, detail))
    elif others:
        detail = f"no span group {spans_key!r}; the document has {', '.join(others)}"
        record.problems.append(Problem("missing_spans_key", place, detail))
    return record


def spans_with_scores(doc: Doc, spans_key: str) -> list[tuple[Span, float | None]]:
    """The spans of a group, each with its score or, if the group has none, None; empty if there is no such group."""
    group = doc.spans.get(spans_key, ())
    scores: Any = group.attrs.get("scores") if len(group) else ()
    # Other components may keep other things under this name.
    values = map(float, scores) if np.shape(scores) == (len(group),) else repeat(None, len(group))
    return list(zip(group, values, strict=True))


def _said(span: Span) -> dict[str, Any]:
    said = context_of(span)
    return {name: value for name, value in context_fields(said).items() if value} if said else {}


def _as_lists(value: Any) -> Any:
    """Lists for tuples at every depth: spaCy reads the lists of `user_data` back as tuples."""
    if isinstance(value, dict):
        return {key: _as_lists(item) for key, item in value.items()}
    return [_as_lists(item) for item in value] if isinstance(value, (list, tuple)) else value
