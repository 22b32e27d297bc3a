"""The value of a test: its number, result and direction, read from the text behind it."""

import re

from ..tables import NO_VALUE
from .quantities import Quantity, quantity_at, unit_at
from .reading import COMMA, FILLERS, Reading
from .terms import BOUND, COMPARATOR, DIRECTION, FILLER, RESULT, SHOWS
from .vocabulary import Found

_CLOSE = re.compile(r" ?[)\]]")
# 白细胞(WBC)12.3
_SHORT_NAME = re.compile(r" ?[(\[] ?[a-z][a-z0-9 .-]{0,15}[)\]]")
_RANGE = r"-?[0-9]{1,6}(?:\.[0-9]{1,4})? ?(?:-{1,2}|~) ?[0-9]{1,6}(?:\.[0-9]{1,4})?"
_REFERENCE = re.compile(rf" {{0,20}}[(\[]? ?(?:参考值|参考范围|正常值|正常范围|正常|参考)?[: ]{{0,2}}({_RANGE})")
_HAN = re.compile("[\u4e00-\u9fff]")
_CLAUSE_ENDS = "，、。；;,.\n"
# 血压升高伴头痛, 升高者, 升高明显
_AFTER_DIRECTION = frozenset("伴提及和与且并或者的时等但而明显不后可约无有")
_LENGTHS = ("cm", "mm", "m")


class ResultReading(Reading):
    """Reads the value of a test."""

    def read(self, start: int, end: int) -> int:
        """Read the value of a test: number, result and direction in any order, each once.

        start, end (int): from behind the test to where nothing more can be of it.
        RETURNS (int): the place behind the value.
        """
        bracket = False
        place = done = self._mark(start, end) or start
        if place == start and (name := _SHORT_NAME.match(self.text, start, end)):
            place = name.end()
        fillers, shows = 0, False
        while place < end:
            place = self._skip(place)
            if begun := self._mark(place, end) or self._number(place, end, shows):
                place = done = begun
            elif self.known and (closing := _CLOSE.match(self.text, place, end)) and bracket:
                place, done, bracket = closing.end(), closing.end(), False
            elif "numbers" in self.known and (given := self._reference(place, end)):
                place = done = given
            elif "numbers" in self.known and (late := self._late_unit(place, end)):
                place = done = late
            elif self.known and (comma := COMMA.match(self.text, place, end)) and self._judges(comma.end(), end):
                place = comma.end()
            elif fillers < FILLERS and (filler := self.terms.at(self.text, FILLER, place, end)):
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
        # 正常值为3
        if following == "值":
            return False
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

    def _number(self, place: int, end: int, shows: bool) -> int | None:
        """The place behind a comparator, a quantity and a bound."""
        if "numbers" in self.known:
            return None
        comparator = self.terms.at(self.text, COMPARATOR, place, end)
        begin = self._skip(comparator.end) if comparator else place
        quantity = quantity_at(self.text, begin, end, self.terms)
        if quantity is None or self._is_time(quantity) or (shows and self._is_of_what_follows(quantity, end)):
            return None
        if comparator:
            self._take("comparator", comparator)
        quantity = self._without_mark(quantity)
        behind = self._take_quantity(quantity)
        if not comparator and (bound := self.terms.at(self.text, BOUND, behind, end)):
            behind = self._take(BOUND, bound, "comparator")
        return behind

    def _is_time(self, quantity: Quantity) -> bool:
        """2h is a time; 12.3H is high."""
        return quantity.unit is None and self.whole[quantity.end : quantity.end + 1] == "h"

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
