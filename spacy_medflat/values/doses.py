"""The prescription of a drug: dose, frequency and route, read from the text beside it."""

import re

from .quantities import Quantity, quantity_at
from .reading import COMMA, FILLERS, Reading
from .terms import DRUG_FILLER, FILLER, FREQUENCY, ROUTE
from .vocabulary import REACH, Found

_NUMBER_BEGINS = re.compile("(?<![0-9.])[0-9半一二两三四五六七八九十]")
# 任何一个, 下一剂
_COUNTS = ("{cells}", "{dose}")


class DoseReading(Reading):
    """Reads the prescription of a drug."""

    def behind(self, start: int, end: int) -> int:
        """Read the dose, frequency and route of a drug in any order, each once; commas may stand between them.

        RETURNS (int): the place behind them.
        """
        place, done, fillers = start, start, 0
        while place < end:
            place = self._skip(place)
            if begun := self._taken(place, end):
                place, done, fillers = begun, begun, 0
            elif self.known and (comma := COMMA.match(self.text, place, end)) and self._prescribes(comma.end(), end):
                place = comma.end()
            elif fillers < FILLERS and (filler := self._drug_filler(place, end)):
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
