"""What a value is read with: the parts that are found, one by one, beside an entity."""

import re
from typing import Any

from ..tables import NO_VALUE, fold
from .attributes import Part, Value
from .quantities import Quantity
from .vocabulary import Found, Vocabulary

FILLERS = 4
"""So many fillers may stand between an entity and its value: 为, 约, (."""

COMMA = re.compile(" ?[，、] ?")
"""What ends a clause, but need not end a value."""

# Columns of a table have many blanks between them.
_BLANKS = re.compile(" {0,20}")


def folded(text: str) -> str:
    """A text as it is compared, see `tables.fold`. A Chinese comma stays, as it never stands in a number."""
    return "，".join(map(fold, text.split("，")))


class Reading:
    """Reads the parts of one value, each once.

    text (str): see `folded`.
    whole (str): the text as it stands.
    """

    def __init__(self, text: str, whole: str, terms: Vocabulary):
        self.text, self.whole, self.terms = text, whole, terms
        self.parts: list[Part] = []
        self.known: dict[str, Any] = {}

    @property
    def value(self) -> Value | None:
        """What has been read; None if nothing has."""
        return Value(**self.known, parts=tuple(sorted(self.parts, key=lambda part: part.start))) if self.known else None

    def _take(self, kind: str, found: Found, name: str | None = None) -> int:
        self.known[name or kind] = found.value
        self._part(name or kind, found.start, found.end)
        return found.end

    def _take_frequency(self, found: Found) -> int:
        self.known["frequency"] = self.whole[found.start : found.end]
        if found.value != NO_VALUE:
            self.known["per_day"] = float(found.value)
        self._part("frequency", found.start, found.end)
        return found.end

    def _take_quantity(self, found: Quantity) -> int:
        self.known.update(form=found.form, numbers=found.numbers)
        unit = found.unit
        ends = unit.start if unit and unit.end == found.end else found.end
        self._part("number", found.start, len(self.text[:ends].rstrip(" ")))
        if unit:
            self.known.update(unit=self.whole[unit.start : unit.end], ucum=unit.value)
            self._part("unit", unit.start, unit.end)
        return found.end

    def _part(self, part: str, start: int, end: int) -> None:
        self.parts.append(Part(part, start, end, self.whole[start:end]))

    def _skip(self, place: int) -> int:
        match = _BLANKS.match(self.text, place)
        return match.end() if match else place
