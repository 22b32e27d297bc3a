"""The value behind or before an entity, read from the text beside it."""

import re
from typing import Any

from ..tables import NO_VALUE, fold
from .attributes import Part, Value
from .quantities import Quantity, quantity_at, unit_at
from .terms import (
    BOUND,
    COMPARATOR,
    DIRECTION,
    DRUG_FILLER,
    FILLER,
    FREQUENCY,
    RESULT,
    ROUTE,
    SHOWS,
)
from .vocabulary import REACH, Found, Vocabulary

# So many fillers may stand between an entity and its value: 为, 约, (.
_FILLERS = 4
# Columns of a table have many blanks between them.
_BLANKS = re.compile(" {0,20}")
_COMMA = re.compile(" ?[，、] ?")
_CLOSE = re.compile(r" ?[)\]]")
# 白细胞(WBC)12.3
_SHORT_NAME = re.compile(r" ?[(\[] ?[a-z][a-z0-9 .-]{0,15}[)\]]")
_RANGE = r"-?[0-9]{1,6}(?:\.[0-9]{1,4})? ?(?:-{1,2}|~) ?[0-9]{1,6}(?:\.[0-9]{1,4})?"
_REFERENCE = re.compile(rf" {{0,20}}[(\[]? ?(?:参考值|参考范围|正常值|正常范围|正常|参考)?[: ]{{0,2}}({_RANGE})")
_NUMBER_BEGINS = re.compile("(?<![0-9.])[0-9半一二两三四五六七八九十]")
_HAN = re.compile("[\u4e00-\u9fff]")
_CLAUSE_ENDS = "，、。；;,.\n"
# 血压升高伴头痛, 升高者, 升高明显
_AFTER_DIRECTION = frozenset("伴提及和与且并或者的时等但而明显不后可约无有")
_COUNTS = ("{cells}", "{dose}")
_LENGTHS = ("cm", "mm", "m")


def folded(text: str) -> str:
    """A text as it is compared, see `tables.fold`. A Chinese comma stays, as it never stands in a number."""
    return "，".join(map(fold, text.split("，")))


class Reading:
    """Reads the parts of one value.

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

    def test(self, start: int, end: int) -> int:
        """Read the value of a test: number, result and direction in any order, each once.

        start, end (int): from behind the test to where nothing more can be of it.
        RETURNS (int): the place behind the value.
        """
        place, done, bracket = start, start, False
        name = _SHORT_NAME.match(self.text, place, end)
        if name and not self._mark(place, end):
            place = name.end()
        fillers, shows = 0, False
        while place < end:
            place = self._skip(place)
            if begun := self._mark(place, end) or self._number(place, end, shows, start):
                place = done = begun
            elif self.known and (closing := _CLOSE.match(self.text, place, end)) and bracket:
                place, done, bracket = closing.end(), closing.end(), False
            elif "numbers" in self.known and (given := self._reference(place, end)):
                place = done = given
            elif "numbers" in self.known and (late := self._late_unit(place, end)):
                place = done = late
            elif self.known and (comma := _COMMA.match(self.text, place, end)) and self._judges(comma.end(), end):
                place = comma.end()
            elif fillers < _FILLERS and (filler := self.terms.at(self.text, FILLER, place, end)):
                opens = self.text[filler.start] in "(["
                if self.known and not opens and filler.value != NO_VALUE:
                    break
                bracket = bracket or opens
                fillers += 1
                shows = shows or filler.value == SHOWS
                place = filler.end
            else:
                break
        return done

    def drug(self, start: int, end: int) -> int:
        """Read the dose, frequency and route of a drug in any order, each once; commas may stand between them.

        RETURNS (int): the place behind them.
        """
        place, done, fillers = start, start, 0
        while place < end:
            place = self._skip(place)
            if begun := self._taken(place, end):
                place, done, fillers = begun, begun, 0
            elif self.known and (comma := _COMMA.match(self.text, place, end)) and self._prescribes(comma.end(), end):
                place = comma.end()
            elif fillers < _FILLERS and (filler := self._drug_filler(place, end)):
                fillers += 1
                place = filler.end
            else:
                break
        return done

    def before(self, start: int, end: int) -> int:
        """Read what stands right before a drug: its strength or dose, its route and frequency (静滴5%葡萄糖).

        start, end (int): from where it may begin to the drug.
        RETURNS (int): where it begins.
        """
        place = end
        while True:
            while place > start and self.text[place - 1] in " 的":
                place -= 1
            quantity = None if "strength" in self.known else self._quantity_before(start, place)
            if quantity and self._is_strength(quantity):
                self.known["strength"] = self.whole[quantity.start : quantity.end]
                self._part("strength", quantity.start, quantity.end)
                place = quantity.start
            elif quantity and "numbers" not in self.known:
                self._take_quantity(quantity)
                place = quantity.start
            elif "route" not in self.known and (route := self.terms.before(self.text, ROUTE, start, place)):
                self._take("route", route)
                place = route.start
            elif "frequency" not in self.known and (often := self.terms.before(self.text, FREQUENCY, start, place)):
                self._take_frequency(often)
                place = often.start
            else:
                return place

    def _taken(self, place: int, end: int) -> int | None:
        """The place behind a part of a prescription."""
        if "frequency" not in self.known and (often := self.terms.at(self.text, FREQUENCY, place, end)):
            return self._take_frequency(often)
        if "route" not in self.known and (route := self.terms.at(self.text, ROUTE, place, end)):
            return self._take("route", route)
        if "numbers" not in self.known and (quantity := quantity_at(self.text, place, end, self.terms)):
            return self._take_quantity(quantity)
        return None

    def _prescribes(self, place: int, end: int) -> bool:
        """Whether a prescription goes on behind a comma."""
        if "frequency" not in self.known and self.terms.at(self.text, FREQUENCY, place, end):
            return True
        if "route" not in self.known and self.terms.at(self.text, ROUTE, place, end):
            return True
        filler = self.terms.at(self.text, DRUG_FILLER, place, end)
        return "numbers" not in self.known and bool(
            filler and quantity_at(self.text, self._skip(filler.end), end, self.terms)
        )

    def _drug_filler(self, place: int, end: int) -> Found | None:
        found = (self.terms.at(self.text, kind, place, end) for kind in (DRUG_FILLER, FILLER))
        return max((filler for filler in found if filler), key=lambda filler: filler.end, default=None)

    def _quantity_before(self, start: int, end: int) -> Quantity | None:
        begin = max(start, end - REACH)
        for match in _NUMBER_BEGINS.finditer(self.text, begin, end):
            found = quantity_at(self.text, match.start(), end, self.terms)
            if found and found.end == end:
                # 任何一个, 下一剂, 表8-16: no dose.
                return None if found.unit is None or found.unit.value in _COUNTS else found
        return None

    @staticmethod
    def _is_strength(quantity: Quantity) -> bool:
        return quantity.unit is not None and ("%" in quantity.unit.value or "/" in quantity.unit.value)

    def _mark(self, place: int, end: int) -> int | None:
        """The place behind a result or a direction."""
        for kind in (RESULT, DIRECTION):
            found = self.terms.at(self.text, kind, place, end)
            if kind not in self.known and found and self._stands_alone(kind, found):
                return self._take(kind, found)
        return None

    def _stands_alone(self, kind: str, found: Found) -> bool:
        """A sign, as +, is none before a number or a word, 降低 none before an object (抗凝治疗降低风险), H none
        without a number (FSH、LH).
        """
        last, following = self.text[found.end - 1], self.text[found.end : found.end + 1]
        if last in "+-±":
            return not following.isalnum()
        if kind == DIRECTION and "numbers" not in self.known and self.text[found.start : found.end] in ("h", "l"):
            return False
        if kind != DIRECTION or not _HAN.match(last) or not following.isalpha():
            return True
        return following in _AFTER_DIRECTION or self.terms.at(self.text, FILLER, found.end, len(self.text)) is not None

    def _late_unit(self, place: int, end: int) -> int | None:
        """The place behind a unit that a mark separates from its number: 92↓g/L."""
        unit = None if "unit" in self.known else unit_at(self.text, place, end, self.terms)
        if unit is None:
            return None
        self.known.update(unit=self.whole[unit.start : unit.end], ucum=unit.value)
        self._part("unit", unit.start, unit.end)
        return unit.end

    def _judges(self, place: int, end: int) -> bool:
        """Whether nothing but a direction stands between commas: 2.9mmol/L，偏低，"""
        found = None if DIRECTION in self.known else self.terms.at(self.text, DIRECTION, place, end)
        return found is not None and (found.end == len(self.text) or self.text[found.end] in _CLAUSE_ENDS)

    def _number(self, place: int, end: int, shows: bool, start: int) -> int | None:
        """The place behind a comparator, a quantity and a bound."""
        if "numbers" in self.known:
            return None
        comparator = self.terms.at(self.text, COMPARATOR, place, end)
        begin = self._skip(comparator.end) if comparator else place
        quantity = quantity_at(self.text, begin, end, self.terms)
        if quantity is None or (shows and self._is_of_what_follows(quantity, end)):
            return None
        if comparator:
            self._take("comparator", comparator)
        quantity = self._without_mark(quantity)
        behind = self._take_quantity(quantity)
        if not comparator and (bound := self.terms.at(self.text, BOUND, behind, end)):
            behind = self._take(BOUND, bound, "comparator")
        return behind

    def _is_of_what_follows(self, quantity: Quantity, end: int) -> bool:
        """示3cm结节: the size is that of what is seen."""
        follows = quantity.end < end and _HAN.match(self.text, quantity.end)
        return bool(follows) and quantity.unit is not None and quantity.unit.value in _LENGTHS

    def _without_mark(self, quantity: Quantity) -> Quantity:
        """92 L is 92, low; 2.3L is a volume."""
        unit = quantity.unit
        if unit and unit.value == "L" and self.text[unit.start : unit.end] == "l" and self.text[unit.start - 1] == " ":
            return quantity._replace(end=len(self.text[: unit.start].rstrip()), unit=None)
        return quantity

    def _reference(self, place: int, end: int) -> int | None:
        """The place behind a range that is given as normal: one in brackets, or one that a mark follows."""
        match = _REFERENCE.match(self.text, place, end)
        if match is None:
            return None
        behind = match.end()
        if given := quantity_at(self.text, match.start(1), end, self.terms):
            behind = max(behind, self._without_mark(given).end)
        closing = _CLOSE.match(self.text, behind, end)
        after = closing.end() if closing else behind
        opened = any(char in "([" for char in self.text[place : match.start(1)])
        if not (opened and closing) and not self.terms.at(self.text, DIRECTION, self._skip(after), end):
            return None
        self._part("reference", match.start(1), behind)
        return after

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
