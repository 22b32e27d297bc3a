"""The attributes of spans: their values, and how a Doc keeps them."""

from collections.abc import Mapping
from functools import partial
from typing import Any, NamedTuple

from spacy.tokens import Doc, Span

from ..errors import ContextError, clipped
from ..span_facts import SpanFacts

VALUES: dict[str, tuple[str, ...]] = {
    "assertion": ("present", "absent", "possible", "conditional", "hypothetical", "planned"),
    "experiencer": ("patient", "family", "other"),
    "temporality": ("current", "historical", "resolved"),
}
"""The values of each attribute, the one that needs no cue first."""

ATTRIBUTE_OF = {value: attribute for attribute, values in VALUES.items() for value in values}
"""The attribute that each value belongs to."""

_DEFAULTS = {values[0] for values in VALUES.values()}

_FACTS = SpanFacts("medflat_context")


class FoundCue(NamedTuple):
    """A cue that decided an attribute of a span.

    start, end (int): characters of the Doc, `end` exclusive.
    text (str): what stands there.
    value (str): what it speaks for, as `absent`.
    """

    start: int
    end: int
    text: str
    value: str


class Context(NamedTuple):
    """What a text says about a span.

    assertion, experiencer, temporality (str or None): see `VALUES`; None if nobody has judged it.
    cues (tuple of FoundCue): what decided, in the order of the text; empty if nothing did.
    """

    assertion: str | None = None
    experiencer: str | None = None
    temporality: str | None = None
    cues: tuple[FoundCue, ...] = ()


def register_attributes() -> None:
    """Make `span._.assertion`, `.experiencer`, `.temporality` and `.cues` known. The component does it itself.

    Call it to read annotated Docs where there is no pipeline. A span that nobody has judged has None, and no cues. The
    three can also be set, as gold.
    """
    _FACTS.register()
    for attribute in VALUES:
        if not Span.has_extension(attribute):
            Span.set_extension(attribute, getter=partial(_value, attribute), setter=partial(_set_value, attribute))
    if not Span.has_extension("cues"):
        Span.set_extension("cues", getter=_cues)


def context_of(span: Span) -> Context | None:
    """What is stored about a span; None if nothing is.

    span (Span): any with the characters and the label of one that was judged.
    """
    register_attributes()
    stored = _FACTS.get(span)
    if stored is None:
        return None
    assertion, experiencer, temporality, cues = stored
    found = (FoundCue(span.start_char + start, span.start_char + end, *rest) for start, end, *rest in cues)
    return Context(assertion, experiencer, temporality, tuple(found))


def set_context(span: Span, context: Context) -> None:
    """Store what is known about a span, for all spans with its characters and label.

    Cues are kept relative to the span, so that they stay right in a part of the Doc.

    RAISES (ContextError): a value that does not exist.
    """
    register_attributes()
    for attribute, value in zip(VALUES, context, strict=False):
        if value is not None:
            check_value(attribute, value)
    cues = [[cue.start - span.start_char, cue.end - span.start_char, cue.text, cue.value] for cue in context.cues]
    _FACTS.set(span, [*context[:3], cues])


def check_value(attribute: str, value: Any) -> None:
    """RAISES (ContextError): the attribute has no such value."""
    if value not in VALUES[attribute]:
        raise ContextError(f"{attribute} must be one of {', '.join(VALUES[attribute])}, but it is {clipped(value)}")


def context_fields(context: Context) -> dict[str, Any]:
    """What is known about a span as fields of its entity in a file: the three attributes, and `cues`."""
    return {**context._asdict(), "cues": [cue._asdict() for cue in context.cues]}


def read_context(fields: Mapping[str, Any]) -> Context:
    """What the fields of an entity in a file say; see `context_fields`. Others, and cues of another form, are ignored.

    RAISES (ContextError): a value that does not exist.
    """
    values = {attribute: fields[attribute] for attribute in VALUES if fields.get(attribute) is not None}
    for attribute, value in values.items():
        check_value(attribute, value)
    listed = fields.get("cues")
    found = [_read_cue(cue) for cue in listed] if isinstance(listed, list | tuple) else []
    return Context(**values, cues=tuple(cue for cue in found if cue))


def _read_cue(fields: Any) -> FoundCue | None:
    values: list[Any] = [fields.get(name) for name in FoundCue._fields] if isinstance(fields, Mapping) else []
    return FoundCue(*values) if [type(value) for value in values] == [int, int, str, str] else None


def values_of(span: Span) -> dict[str, str]:
    """The attributes of a span that are known, by their names."""
    found = context_of(span) or Context()
    return {attribute: value for attribute in VALUES if (value := getattr(found, attribute)) is not None}


def values_shown(span: Span) -> str:
    """The attributes of a span that say something special, for people; empty if none does."""
    return " ".join(value for value in values_of(span).values() if value not in _DEFAULTS)


def cues_shown(span: Span) -> str:
    """The cues that say something special about a span, for people; empty if there are none."""
    return "、".join(dict.fromkeys(cue.text.strip() for cue in _cues(span) if cue.value not in _DEFAULTS))


def _value(attribute: str, span: Span) -> str | None:
    return values_of(span).get(attribute)


def _set_value(attribute: str, span: Span, value: str | None) -> None:
    found = context_of(span) or Context()
    changed: dict[str, Any] = {attribute: value}
    set_context(span, found._replace(**changed))


def _cues(span: Span) -> list[FoundCue]:
    found = context_of(span)
    # A part of a Doc does not hold the cues that stand outside of it.
    end = _length(span.doc)
    return [cue for cue in found.cues if cue.start >= 0 and cue.end <= end] if found else []


def _length(doc: Doc) -> int:
    return doc[-1].idx + len(doc[-1]) if len(doc) else 0
