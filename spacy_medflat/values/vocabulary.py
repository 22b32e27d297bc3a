"""Terms at a place of a text, and what they stand for."""

import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from ..tables import NO_VALUE, fold
from .numerals import COUNT, count
from .terms import DIRECTION, FREQUENCY, PER, RESULT, ROUTE, UNIT, Term

# The longest text that is looked through before a drug.
REACH = 24


class Found(NamedTuple):
    """A term in a text.

    start, end (int): its characters, `end` exclusive.
    value (str): what it stands for.
    """

    start: int
    end: int
    value: str


class Vocabulary:
    """Finds terms where a text is looked at, the longest of a kind. Texts are folded, see `reading.folded`.

    A term that ends in a Latin letter does not end within a word; mgtid is mg and tid.
    """

    def __init__(self, rows: Iterable[Term]):
        """Make the patterns of a table."""
        self._values: dict[str, dict[str, str]] = {}
        self._terms: dict[str, list[str]] = {}
        for row in sorted(rows, key=lambda row: (-len(row.term), row.term)):
            self._values.setdefault(row.kind, {})[_squeezed(fold(row.term))] = row.value
            self._terms.setdefault(row.kind, []).append(fold(row.term))
        terms = self._terms.get(FREQUENCY, [])
        self._frequencies = [(re.compile(_template(term)), self._values[FREQUENCY][_squeezed(term)]) for term in terms]
        frequency = "|".join(_template(term, named=False) for term in terms) or "(?!)"
        latin = [term for term in terms + self._terms.get(ROUTE, []) if term[0].isascii()]
        joined = "|".join(_template(term, named=False) for term in latin) or "(?!)"
        self._end = rf"(?:(?![a-z])|(?=(?:{joined})(?![a-z])))"
        self._patterns = {kind: self._pattern(kind) for kind in self._terms if kind != FREQUENCY}
        self._patterns[PER] = self._pattern(PER, UNIT)
        self._patterns[FREQUENCY] = [re.compile(rf"(?:{frequency})(?![a-z])")]
        words = "|".join(map(_spaced, self._terms.get(ROUTE, []))) or "(?!)"
        self._before = {
            ROUTE: re.compile(rf"(?<![a-z])(?:{words})\Z"),
            FREQUENCY: re.compile(rf"(?<![a-z0-9])(?:{frequency})\Z"),
        }

    def at(self, text: str, kind: str, start: int, end: int) -> Found | None:
        """The longest term of a kind that begins at a place, and ends at `end` at the latest."""
        matches = (pattern.match(text, start, end) for pattern in self._patterns.get(kind, ()))
        longest = max((match for match in matches if match), key=re.Match.end, default=None)
        return self._found(kind, longest) if longest else None

    def before(self, text: str, kind: str, start: int, end: int) -> Found | None:
        """The longest route or frequency that ends at a place, and begins at `start` at the earliest."""
        start = max(start, end - REACH)
        match = self._before[kind].search(text[start:end])
        if match is None:
            return None
        found = self._found(kind, match)
        return found._replace(start=start + found.start, end=start + found.end)

    def is_term(self, text: str) -> bool:
        """Whether a text is a part of a value and nothing else."""
        kinds = (FREQUENCY, ROUTE, DIRECTION, RESULT)
        return any((found := self.at(text, kind, 0, len(text))) and found.end == len(text) for kind in kinds)

    def _found(self, kind: str, match: re.Match[str]) -> Found:
        text = _squeezed(match.group())
        value = self._times(text) if kind == FREQUENCY else self._value(kind, text)
        return Found(match.start(), match.end(), value)

    def _value(self, kind: str, text: str) -> str:
        kinds: Sequence[str] = (PER, UNIT) if kind == PER else (kind,)
        return next(self._values[one][text] for one in kinds if text in self._values.get(one, ()))

    def _times(self, text: str) -> str:
        """How many times a day, as a number; `-` if the term does not say."""
        for pattern, value in self._frequencies:
            if match := pattern.fullmatch(text):
                groups = match.groupdict()
                return NO_VALUE if value == NO_VALUE else _calculated(value, {k: v for k, v in groups.items() if v})
        return NO_VALUE

    def _pattern(self, *kinds: str) -> list[re.Pattern[str]]:
        """Patterns of the words of some kinds: those that end in a Latin letter, and others."""
        words = sorted({term for kind in kinds for term in self._terms.get(kind, ())}, key=lambda term: -len(term))
        latin = [word for word in words if word[-1].isascii() and word[-1].isalpha()]
        # 血压高， but not 血压高峰
        closed = "(?![\u4e00-\u9fff])" if kinds == (DIRECTION,) else ""
        others = [_spaced(word) + closed * (len(word) == 1) for word in words if word not in latin]
        found = [f"(?:{'|'.join(map(_spaced, latin))}){self._end}" if latin else "", "|".join(others)]
        return [re.compile(pattern) for pattern in found if pattern]


def _squeezed(text: str) -> str:
    return text.replace(" ", "")


def _spaced(word: str) -> str:
    """A pattern of a word; blanks beside its brackets and marks, as in ( ++ ), change nothing."""
    return re.escape(word) if word.isalnum() else " ?".join(map(re.escape, _squeezed(word)))


def _template(term: str, named: bool = True) -> str:
    pieces = re.split(r"\{([np])\}", term)
    texts = [re.escape(piece) if i % 2 == 0 else "" for i, piece in enumerate(pieces)]
    for i in range(1, len(pieces), 2):
        texts[i] = f" ?(?P<{pieces[i]}>{COUNT}) ?" if named else f" ?{COUNT} ?"
    return "".join(texts)


def _calculated(formula: str, numbers: dict[str, str]) -> str:
    """24*n/p with the numbers of a text; of a range of numbers, its middle."""
    result = 1.0
    for operator, factor in re.findall(r"([*/]?)([0-9.]+|[np])", formula):
        number = count(numbers[factor]) if factor in "np" else float(factor)
        if operator == "/":
            if not number:
                return NO_VALUE
            result /= number
        else:
            result *= number
    return f"{result:.6g}"
