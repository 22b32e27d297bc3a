"""Quantities: numbers with a unit, as ranges, pairs and sizes."""

import re
from typing import NamedTuple

from .numerals import bare_power_at, numeral_at, power_at
from .terms import PER, PSEUDO, UNIT
from .vocabulary import Found, Vocabulary

FORMS = ("number", "range", "pair", "pair_of_ranges", "ratio", "size")
"""3; 3～5; 90/60; 120-140/80-90; 1:320; 3×4×5."""

_RANGE = re.compile(" {0,2}(?:[-~〜∼]|至|到) {0,2}")
_SLASH = re.compile(" ?/ ?")
_RATIO = re.compile(" ?: ?")
_TIMES = re.compile(" ?[×x*] ?(?!10(?:\\^|[⁰¹²³⁴⁵⁶⁷⁸⁹]))")
_PER = re.compile(" ?/ ?(\\(?) ?")
_AND = re.compile(" ?[·.*•/] ?")
_CLOSE = re.compile(" ?\\)")
_BLANKS = re.compile(" {0,2}")
# 1000余ml
_ROUGHLY = re.compile(" {0,2}[余多]? ?")
# 2024-01-05, 3月5日, 08:30: no quantities.
_DATE = re.compile(
    "(?:19|20)[0-9]{2} ?[-./年] ?[0-9]{1,2}|[0-9]{8}(?![0-9])|[0-9]{1,2}(?:月|/[0-9]{1,2} ?日)|[02][0-9]:[0-9]{2}"
)
# Two numbers with a stroke are dates as often as pressures; these cannot be dates.
_LEAST_OF_PAIR = 32


class Quantity(NamedTuple):
    """A quantity in a text.

    start, end (int): its characters, `end` exclusive.
    form (str): one of `FORMS`.
    numbers (tuple of float): one; of a range, from and to; of a pair and a ratio two; four of a pair of ranges; two or
        three of a size.
    unit (Found or None): the unit, with its UCUM code as value.
    """

    start: int
    end: int
    form: str
    numbers: tuple[float, ...]
    unit: Found | None


def quantity_at(text: str, start: int, end: int, terms: Vocabulary) -> Quantity | None:
    """The quantity that begins at a place of a folded text, and ends at `end` at the latest.

    A number that goes on with what is no unit, as 3个月 or 12岁, a date and a time of day are none.
    """
    if _DATE.match(text, start, end):
        return None
    if power := bare_power_at(text, start, end):
        place, exponent = power
        found = _with_unit(text, start, place, end, "number", (10.0**exponent,), terms, 0)
        # A unit alone, as in the head of a table.
        return None if found and found.unit and found.unit.value.startswith("/") else found
    first = numeral_at(text, start, end)
    if first is None:
        return None
    read = _numbers(text, first.end, end, first.number, terms)
    if read is None:
        return None
    form, numbers, place, unit = read
    exponent = 0
    if power := power_at(text, place, end) or _power_of_unit(text, place, end):
        place, exponent = power
    found = _with_unit(text, start, place, end, form, numbers, terms, exponent)
    if found is not None and found.unit is None and unit is not None:
        # 3cm×4: the unit of the first number.
        return found._replace(unit=unit)
    return found


def _power_of_unit(text: str, place: int, end: int) -> tuple[int, int] | None:
    """Where the factor of a unit in a column of its own ends, and its exponent: 5.8  10^9/L."""
    begin = _BLANKS.match(text, place, end).end()  # type: ignore[union-attr]
    power = bare_power_at(text, begin, end) if begin > place else None
    return power if power and _PER.match(text, power[0], end) else None


def _numbers(
    text: str, place: int, end: int, first: float, terms: Vocabulary
) -> tuple[str, tuple[float, ...], int, Found | None] | None:
    """The form, the numbers, the place behind them, and a unit that stands behind the first; None for no quantity."""
    after, unit = _unit_between(text, place, end, terms)
    upper = _next(text, after, end, _RANGE)
    if upper:
        # 12-5 may be a day.
        if upper[1] <= first and not unit and _unit_between(text, upper[0], end, terms)[1] is None:
            return None
        second = _next(text, upper[0], end, _SLASH)
        last = _next(text, second[0], end, _RANGE) if second else None
        if second and last:
            return "pair_of_ranges", (first, upper[1], second[1], last[1]), last[0], None
        return "range", (first, upper[1]), upper[0], unit
    sizes = [first]
    behind = place
    while len(sizes) < 3 and power_at(text, after, end) is None and (side := _next(text, after, end, _TIMES)):
        sizes.append(side[1])
        behind = side[0]
        after, _ = _unit_between(text, behind, end, terms)
    if len(sizes) > 1:
        return "size", tuple(sizes), behind, unit
    if first == 1 and (other := _next(text, place, end, _RATIO)):
        return "ratio", (first, other[1]), other[0], None
    if other := _next(text, place, end, _SLASH):
        below = unit_at(text, _BLANKS.match(text, other[0]).end(), end, terms)  # type: ignore[union-attr]
        if below and below.value.startswith("{") and other[1]:
            # 1/2片
            return "number", (first / other[1],), other[0], None
        if below or min(first, other[1]) >= _LEAST_OF_PAIR:
            return "pair", (first, other[1]), other[0], None
    return "number", (first,), place, None


def _next(text: str, place: int, end: int, mark: re.Pattern[str]) -> tuple[int, float] | None:
    """Where a mark with a number behind it ends, and the number."""
    match = mark.match(text, place, end)
    found = numeral_at(text, match.end(), end) if match and text[match.end() : match.end() + 1] != "-" else None
    return (found.end, found.number) if found else None


def _unit_between(text: str, place: int, end: int, terms: Vocabulary) -> tuple[int, Found | None]:
    """A simple unit behind a number that another one may follow, and the place behind it."""
    found = terms.at(text, UNIT, _BLANKS.match(text, place).end(), end)  # type: ignore[union-attr]
    return (found.end, found) if found else (place, None)


def _with_unit(
    text: str,
    start: int,
    place: int,
    end: int,
    form: str,
    numbers: tuple[float, ...],
    terms: Vocabulary,
    exponent: int,
) -> Quantity | None:
    begin = _ROUGHLY.match(text, place, end).end()  # type: ignore[union-attr]
    unit = unit_at(text, begin, end, terms)
    pseudo = terms.at(text, PSEUDO, begin, end)
    if pseudo and (unit is None or pseudo.end > unit.end):
        return None
    if exponent and unit and not unit.value.startswith("/"):
        # 1.2×10^5IU/ml is a number of units; only ×10^9/L is a unit itself.
        return Quantity(start, unit.end, form, tuple(n * 10.0**exponent for n in numbers), unit)
    if exponent:
        code = f"10*{exponent}{unit.value if unit else ''}"
        behind = unit.end if unit else place
        stripped = start + len(text[start:place]) - len(text[start:place].lstrip())
        return Quantity(start, behind, form, numbers, Found(_unit_start(text, stripped, place), behind, code))
    if unit:
        return Quantity(start, unit.end, form, numbers, unit)
    return Quantity(start, place, form, numbers, None) if _can_be_bare(text, start, place, end, terms) else None


def _can_be_bare(text: str, start: int, place: int, end: int, terms: Vocabulary) -> bool:
    """Whether a number may stand without a unit: not 3级, 12x, (一), nor that of a heading (1.病因)."""
    if not text[start].isdigit() and text[start] != "-":
        return False
    if text.startswith(".", place) and text[place + 1 : place + 2].strip():
        return False
    if text[start - 1 : start] == "(" and text.startswith(")", place) and place - start < 3:
        return False
    following = text[place : place + 1] if place < end else ""
    return not following.isalnum() or _goes_on(text, place, end, terms)


def _unit_start(text: str, start: int, place: int) -> int:
    """Where the factor 10^n begins that ends at a place."""
    begin = text.rfind("10", start, place)
    before = text[start:begin].rstrip()
    return start + len(before) - 1 if before and before[-1] in "×x*·" else begin


def _goes_on(text: str, place: int, end: int, terms: Vocabulary) -> bool:
    """Whether a term follows that may stand right behind a number without a unit."""
    kinds = ("direction", "bound", "result", "frequency", "route")
    return any(terms.at(text, kind, place, end) for kind in kinds) or text.startswith("左右", place, end)


def unit_at(text: str, start: int, end: int, terms: Vocabulary) -> Found | None:
    """The unit at a place, put together of terms with / and ·, and its UCUM code."""
    first = terms.at(text, UNIT, start, end)
    place, code = (first.end, first.value) if first else (start, "")
    while stroke := _PER.match(text, place, end):
        below = terms.at(text, PER, stroke.end(), end)
        if below is None:
            break
        place, code = below.end, f"{code}/{below.value}"
        while (sign := _AND.match(text, place, end)) and (below := terms.at(text, PER, sign.end(), end)):
            # UCUM reads from left to right: mg/(kg·d) is mg/kg/d.
            place, code = below.end, f"{code}/{below.value}"
        if stroke.group(1) and (close := _CLOSE.match(text, place, end)):
            place = close.end()
    return Found(start, place, code) if code else None
