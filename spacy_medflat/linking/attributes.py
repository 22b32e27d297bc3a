"""Codes of spans: what they are, how a Doc keeps them, and as fields of an entity in a file."""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from spacy.tokens import Span

from ..errors import ContextError, clipped
from ..span_facts import SpanFacts

FIELD = "codes"
"""Name of the attribute, and of the field of an entity."""

HOW = ("exact", "normalised", "fuzzy", "given")
"""How a code was found; given, by a person."""

_FACTS = SpanFacts("medflat_codes")


class Code(NamedTuple):
    """A code of a span.

    code (str): as it stands in the table.
    name (str): the name or synonym that fits the span best.
    score (float): 1 for the same name, less the less it is alike.
    how (str): one of `HOW`.
    side (str or None): `left`, `right` or `both`, which the span says and the code does not.
    """

    code: str
    name: str = ""
    score: float = 1.0
    how: str = "given"
    side: str | None = None


def register_codes() -> None:
    """Make `span._.codes` known. The component does it itself.

    Call it to read annotated Docs where there is no pipeline. A span without codes has (). They can be set, as gold.
    """
    _FACTS.register()
    if not Span.has_extension(FIELD):
        Span.set_extension(FIELD, getter=codes_of, setter=set_codes)


def codes_of(span: Span) -> tuple[Code, ...]:
    """The codes of a span, best first; empty if it has none."""
    register_codes()
    return tuple(Code(*code) for code in _FACTS.get(span) or ())


def set_codes(span: Span, codes: Iterable[Code]) -> None:
    """Keep the codes of a span, for all spans with its characters and label; none take them away."""
    register_codes()
    _FACTS.set(span, [list(code) for code in codes] or None)


def codes_fields(codes: Iterable[Code]) -> list[dict[str, Any]]:
    """Codes as a list of objects in a file."""
    return [code._asdict() for code in codes]


def read_codes(fields: Any) -> tuple[Code, ...]:
    """The codes that the field `codes` of an entity in a file holds, as strings or objects; others are ignored.

    RAISES (ContextError): a way to find it that does not exist.
    """
    listed = [fields] if isinstance(fields, str) else fields if isinstance(fields, list | tuple) else []
    return tuple(code for code in map(_read_code, listed) if code)


def codes_shown(codes: Iterable[Code]) -> str:
    """The first code for people, with its side; empty if there is none."""
    first = next(iter(codes), None)
    return " ".join(filter(None, (first.code, first.side))) if first else ""


def _read_code(fields: Any) -> Code | None:
    if isinstance(fields, str):
        return Code(fields) if fields else None
    if not isinstance(fields, Mapping) or not isinstance(fields.get("code"), str) or not fields["code"]:
        return None
    found = Code(**{name: fields[name] for name in Code._fields if fields.get(name) is not None})
    if not isinstance(found.name, str) or isinstance(found.score, bool) or not isinstance(found.score, int | float):
        return None
    if found.how not in HOW:
        raise ContextError(f"how of a code must be one of {', '.join(HOW)}, but it is {clipped(found.how)}")
    return found._replace(score=float(found.score), side=found.side if isinstance(found.side, str) else None)
