"""Numbers as they are written: with digits, with Chinese numerals, with 万, with a power of ten."""

import re
from typing import NamedTuple

_HAN = {"半": 0.5, "零": 0, "〇": 0, "两": 2} | {char: i for i, char in enumerate("一二三四五六七八九", 1)}
_MANY = {"千": 1e3, "万": 1e4, "亿": 1e8}
_SUPERSCRIPTS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹", "0123456789")

_HAN_NUMBER = "(?:半|[一二三四五六七八九]?十[一二三四五六七八九]?|[一二两三四五六七八九])"
COUNT = rf"(?:[0-9]{{1,4}}(?:\.[0-9]{{1,2}})?(?: ?[-~] ?[0-9]{{1,4}})?|{_HAN_NUMBER})"
"""The pattern of how many times something is done."""

_DIGITS = re.compile(r"-?(?:[0-9]{1,3}(?:,[0-9]{3}){1,3}(?![0-9])|[0-9]{1,12})(?:\.[0-9]{1,8})?(?![0-9]|\.[0-9])")
_COUNTED = re.compile(_HAN_NUMBER)
_MULTIPLE = re.compile(" ?([千万亿])(?!分)")
# ×10^9, *10⁹, x10E9; and ×109/L, which lost its superscript.
_POWER = re.compile(
    r" {0,2}[×x*·] {0,2}10 ?"
    r"(?:(?:[\^∧ˆ]|\*{1,2}|e|~) ?(?P<sign>[0-9]{1,2})|(?P<raised>[⁰¹²³⁴⁵⁶⁷⁸⁹]{1,2})|(?P<lost>3|6|9|12)(?= ?/))"
)
_BARE_POWER = re.compile(r" ?10(?:\^ ?([0-9]{1,2})|([⁰¹²³⁴⁵⁶⁷⁸⁹]{1,2}))")


class Numeral(NamedTuple):
    """A number in a text.

    end (int): the character behind it.
    number (float): what it is.
    """

    end: int
    number: float


def numeral_at(text: str, start: int, end: int) -> Numeral | None:
    """The number that begins at a place of a folded text, and ends at `end` at the latest."""
    if match := _DIGITS.match(text, start, end):
        number, place = float(match.group().replace(",", "")), match.end()
    elif match := _COUNTED.match(text, start, end):
        number, place = _of_han(match.group()), match.end()
    else:
        return None
    if more := _MULTIPLE.match(text, place, end):
        return Numeral(more.end(), number * _MANY[more.group(1)])
    return Numeral(place, number)


def power_at(text: str, start: int, end: int) -> tuple[int, int] | None:
    """Where a factor 10^n at a place ends, and its n."""
    match = _POWER.match(text, start, end)
    if match is None:
        return None
    return match.end(), int((match["sign"] or match["raised"] or match["lost"]).translate(_SUPERSCRIPTS))


def bare_power_at(text: str, start: int, end: int) -> tuple[int, int] | None:
    """Where 10^n at a place ends, and its n."""
    match = _BARE_POWER.match(text, start, end)
    return (match.end(), int((match.group(1) or match.group(2)).translate(_SUPERSCRIPTS))) if match else None


def count(text: str) -> float:
    """The number of a text that fits `COUNT`; of a range, its middle."""
    if not text[0].isdigit():
        return _of_han(text)
    parts = [float(part) for part in re.split("[-~]", text.replace(" ", ""))]
    return sum(parts) / len(parts)


def _of_han(text: str) -> float:
    if "十" not in text:
        return float(_HAN[text])
    tens, ones = text.split("十")
    return 10.0 * (_HAN[tens] if tens else 1) + (_HAN[ones] if ones else 0)
