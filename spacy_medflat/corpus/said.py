"""All that is said about a span, as fields of its entity in a file and back: context, value, codes."""

from collections.abc import Mapping
from typing import Any

from spacy.tokens import Span

from ..context.attributes import (
    Context,
    context_fields,
    context_of,
    cues_shown,
    read_context,
    set_context,
    values_shown,
)
from ..errors import ContextError
from ..linking import attributes as linking
from ..values import attributes as values


def said_of(span: Span) -> dict[str, Any]:
    """What is known about a span, as fields: those of `context_fields`, `value`, `codes`; without what is not known."""
    context, value, codes = context_of(span), values.value_of(span), linking.codes_of(span)
    fields = {} if context is None else context_fields(context)
    if value is not None:
        fields[values.FIELD] = values.value_fields(value)
    if codes:
        fields[linking.FIELD] = linking.codes_fields(codes)
    return fields


def set_said(span: Span, fields: Mapping[str, Any]) -> list[str]:
    """Keep what the fields of an entity say as attributes of its span. Fields of another form are left alone.

    RETURNS (list of str): what is wrong with fields that hold a value that does not exist; they are not kept.
    """
    wrong = []
    for keep in (_set_context, _set_value, _set_codes):
        try:
            keep(span, fields)
        except ContextError as error:
            wrong.append(str(error))
    return wrong


def said_shown(span: Span) -> tuple[str, str, str, str]:
    """What is said about a span for people, each empty if nothing is.

    RETURNS (tuple of str): what is special about its context, the cues that say so, its value, its first code.
    """
    value, codes = values.value_of(span), linking.codes_of(span)
    return values_shown(span), cues_shown(span), values.value_shown(value), linking.codes_shown(codes)


def _set_context(span: Span, fields: Mapping[str, Any]) -> None:
    if (context := read_context(fields)) != Context():
        set_context(span, context)


def _set_value(span: Span, fields: Mapping[str, Any]) -> None:
    if value := values.read_value(fields.get(values.FIELD)):
        values.set_value(span, value)


def _set_codes(span: Span, fields: Mapping[str, Any]) -> None:
    if codes := linking.read_codes(fields.get(linking.FIELD)):
        linking.set_codes(span, codes)
