"""Values of spans: what they are, how a Doc keeps them, and as fields of an entity in a file."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from spacy.tokens import Span

from ..errors import ContextError, clipped
from ..span_facts import SpanFacts
from .quantities import FORMS
from .terms import COMPARATORS, DIRECTIONS, RESULTS

FIELD = "value"
"""Name of the attribute, and of the field of an entity."""

PARTS = ("strength", "number", "unit", "comparator", "result", "direction", "frequency", "route", "reference")
"""What the parts of a value are."""

_FACTS = SpanFacts("medflat_value")
_ALLOWED = {"form": FORMS, "comparator": COMPARATORS, "direction": DIRECTIONS, "result": RESULTS}
_TEXTS = ("form", "comparator", "unit", "ucum", "result", "direction", "strength", "frequency", "route")


class Part(NamedTuple):
    """A part of a value, as it stands in the text.

    part (str): one of `PARTS`. A number stands without its unit. A reference is a range that is given as normal.
    start, end (int): characters of the Doc, `end` exclusive.
    text (str): what stands there.
    """

    part: str
    start: int
    end: int
    text: str


class Value(NamedTuple):
    """What a text gives as the value of a test or the dose of a drug. What it does not say is None.

    form (str or None): of the numbers, see `quantities.FORMS`.
    numbers (tuple of float): see `quantities.Quantity`; empty if there is none.
    comparator (str or None): `>`, `>=`, `<`, `<=`.
    unit (str or None): as it is written.
    ucum (str or None): as a code of UCUM (https://ucum.org), as `g/L`, `10*9/L`, `mm[Hg]`, `{tablet}`.
    result (str or None): one of `terms.RESULTS`.
    direction (str or None): `high`, `low`, `normal`.
    strength (str or None): of a drug, a concentration before it, as it is written (5%).
    frequency (str or None): of a drug, as it is written.
    per_day (float or None): how many times a day that is.
    route (str or None): of a drug, as `oral`, `intravenous_drip`.
    parts (tuple of Part): all of it, in the order of the text.
    """

    form: str | None = None
    numbers: tuple[float, ...] = ()
    comparator: str | None = None
    unit: str | None = None
    ucum: str | None = None
    result: str | None = None
    direction: str | None = None
    strength: str | None = None
    frequency: str | None = None
    per_day: float | None = None
    route: str | None = None
    parts: tuple[Part, ...] = ()

    @property
    def number(self) -> float | None:
        """The number, or the first of several."""
        return self.numbers[0] if self.numbers else None

    @property
    def start(self) -> int | None:
        """The first character of its parts."""
        return min((part.start for part in self.parts), default=None)

    @property
    def end(self) -> int | None:
        """The character behind its parts."""
        return max((part.end for part in self.parts), default=None)


def register_value() -> None:
    """Make `span._.value` known. The component does it itself.

    Call it to read annotated Docs where there is no pipeline. A span without a value has None. It can be set, as gold.
    """
    _FACTS.register()
    if not Span.has_extension(FIELD):
        Span.set_extension(FIELD, getter=value_of, setter=set_value)


def value_of(span: Span) -> Value | None:
    """The value of a span; None if it has none.

    span (Span): any with the characters and the label of one that has a value.
    """
    register_value()
    stored = _FACTS.get(span)
    if stored is None:
        return None
    form, numbers = stored[:2]
    known, parts = stored[2:-1], stored[-1]
    begun = span.start_char
    found = (Part(part, begun + start, begun + end, text) for part, start, end, text in parts)
    return Value._make([form, tuple(numbers), *known, tuple(found)])


def set_value(span: Span, value: Value | None) -> None:
    """Keep the value of a span, for all spans with its characters and label.

    value (Value or None): None takes it away.
    RAISES (ContextError): a form, comparator, result or direction that does not exist.
    """
    register_value()
    if value is None:
        _FACTS.set(span, None)
        return
    _check(value._asdict())
    begun = span.start_char
    parts = [[part.part, part.start - begun, part.end - begun, part.text] for part in value.parts]
    _FACTS.set(span, [value.form, list(value.numbers), *value[2:-1], parts])


def value_fields(value: Value) -> dict[str, Any]:
    """A value as an object in a file."""
    return {**value._asdict(), "numbers": list(value.numbers), "parts": [part._asdict() for part in value.parts]}


def read_value(fields: Any) -> Value | None:
    """The value that the field `value` of an entity in a file holds; None if it is something else.

    RAISES (ContextError): a form, comparator, result or direction that does not exist.
    """
    if not isinstance(fields, Mapping) or not fields or not set(fields) <= set(Value._fields):
        return None
    numbers = fields.get("numbers") or []
    per_day, parts = fields.get("per_day"), fields.get("parts") or []
    texts = {name: fields.get(name) for name in _TEXTS}
    if not isinstance(numbers, list | tuple) or not isinstance(parts, list | tuple):
        return None
    if not all(map(_is_number, [*numbers, *([] if per_day is None else [per_day])])):
        return None
    if any(text is not None and not isinstance(text, str) for text in texts.values()):
        return None
    _check(texts)
    found = tuple(part for part in map(_read_part, parts) if part)
    days = None if per_day is None else float(per_day)
    return Value(numbers=tuple(map(float, numbers)), per_day=days, parts=found, **texts)


def value_shown(value: Value | None) -> str:
    """A value for people, as `92 g/L low`; empty for None."""
    if value is None:
        return ""
    joint = {"range": "–", "pair": "/", "ratio": ":", "size": "×"}.get(value.form or "", " ")
    number = joint.join(f"{number:.10g}" for number in value.numbers)
    if value.form == "pair_of_ranges":
        first, second, third, fourth = (f"{number:.10g}" for number in value.numbers)
        number = f"{first}–{second}/{third}–{fourth}"
    known = (value.strength, f"{value.comparator or ''}{number}", value.unit, value.result, value.direction)
    return " ".join(filter(None, (*known, value.frequency, value.route)))


def _check(fields: Mapping[str, Any]) -> None:
    for name, allowed in _ALLOWED.items():
        if fields.get(name) is not None and fields[name] not in allowed:
            raise ContextError(
                f"{name} of a value must be one of {', '.join(allowed)}, but it is {clipped(fields[name])}"
            )


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _read_part(fields: Any) -> Part | None:
    values: list[Any] = [fields.get(name) for name in Part._fields] if isinstance(fields, Mapping) else []
    return Part(*values) if [type(value) for value in values] == [str, int, int, str] else None
