"""The terms of values: units, frequencies, routes, directions, results and others; and their table."""

import re
from collections.abc import Iterable
from functools import cache
from typing import NamedTuple

from ..errors import TableError, clipped
from ..tables import NO_VALUE, check_word, fold, format_table, merge_rows, shipped_table, table_rows

COLUMNS = ("term", "kind", "value")

UNIT, PER, PSEUDO = "unit", "per", "pseudo"
FREQUENCY, ROUTE = "frequency", "route"
DIRECTION, RESULT, COMPARATOR, BOUND = "direction", "result", "comparator", "bound"
FILLER, DRUG_FILLER = "filler", "drug_filler"
NONE = "none"
KINDS = (UNIT, PER, PSEUDO, FREQUENCY, ROUTE, DIRECTION, RESULT, COMPARATOR, BOUND, FILLER, DRUG_FILLER, NONE)

DIRECTIONS = ("high", "low", "normal")
COMPARATORS = (">", ">=", "<", "<=")
RESULTS = ("negative", "trace", "weakly_positive", "positive", "strongly_positive", "1+", "2+", "3+", "4+")
# Of a filler that names what is seen, as 示: a size behind it may be that of what follows.
SHOWS = "shows"

_KNOWN = {DIRECTION: DIRECTIONS, RESULT: RESULTS, COMPARATOR: COMPARATORS, BOUND: COMPARATORS}
# 24*n/p: numbers, how many times (n) and how many hours, days or weeks (p).
_TIMES = re.compile(r"(?:[0-9]+(?:\.[0-9]+)?|n|p)(?:[*/](?:[0-9]+(?:\.[0-9]+)?|n|p))*")


class Term(NamedTuple):
    """A row of the table.

    term (str): the text. In a frequency, `{n}` is how many times, `{p}` how many hours, days or weeks.
    kind (str): `unit`; `per`, what else may stand below the line of a unit (kg, 日); `pseudo`, what makes a number
        before it no value (岁); `frequency`; `route`; `direction`; `result`; `comparator`, before a number; `bound`,
        a comparator behind it (以上); `filler`, what may stand between a test or drug and its value; `drug_filler`,
        such of drugs only; `none`, in a table that is added, takes the term out.
    value (str): of a unit or `per`, its UCUM code; of a frequency, times a day, with n and p (`24*n/p`), `-` if it says
        none; of a route, a name; of the others, one of `DIRECTIONS`, `RESULTS`, `COMPARATORS`; of a filler, `shows` if
        it names what is seen.
    """

    term: str
    kind: str
    value: str = NO_VALUE

    @property
    def key(self) -> tuple[str, str]:
        """What makes two rows the same term."""
        return fold(self.term), self.kind


def parse_terms(text: str, name: str) -> list[Term]:
    """Read a table of terms from the text of a file: columns `term`, `kind`, `value`.

    name (str): what messages call it.
    RETURNS (list of Term): the rows in their order.
    RAISES (TableError): an unknown kind or value, or the same term twice; the message names the line.
    """
    found: dict[tuple[str, str], tuple[str, Term]] = {}
    for place, (term, kind, value) in table_rows(text, name, COLUMNS):
        # A minus is a term, though it stands for nothing elsewhere.
        row = Term(term if term == NO_VALUE else check_word(term, place, "term"), kind, value)
        _check(row, place)
        if row.key in found:
            raise TableError(f"{place}: {clipped(term)} is a {kind} already in {found[row.key][0]}; remove one")
        found[row.key] = (place.removeprefix(f"{name} "), row)
    return [row for _, row in found.values()]


def _check(row: Term, place: str) -> None:
    if row.kind not in KINDS:
        raise TableError(f"{place}: unknown kind {clipped(row.kind)}; known are {', '.join(KINDS)}")
    known = _KNOWN.get(row.kind)
    if known and row.value not in known:
        raise TableError(f"{place}: unknown {row.kind} {clipped(row.value)}; known are {', '.join(known)}")
    if row.kind in (UNIT, PER, ROUTE) and row.value == NO_VALUE:
        raise TableError(f"{place}: {clipped(row.term)} has no value; write its {_WANTED[row.kind]}")
    if row.kind == FREQUENCY:
        _check_frequency(row, place)


_WANTED = {UNIT: "UCUM code", PER: "UCUM code", ROUTE: "route in a word, as oral"}


def _check_frequency(row: Term, place: str) -> None:
    if row.value == NO_VALUE:
        return
    if not _TIMES.fullmatch(row.value) or re.search(r"/0+(?:\.0+)?(?![0-9.])", row.value):
        raise TableError(
            f"{place}: {clipped(row.value)} is no number of times a day; write numbers, n and p with * and /, as 24*n/p"
        )
    for letter in "np":
        if letter in row.value and f"{{{letter}}}" not in row.term:
            raise TableError(f"{place}: {clipped(row.value)} needs {{{letter}}} in the term {clipped(row.term)}")


def merge_terms(first: Iterable[Term], added: Iterable[Term]) -> list[Term]:
    """Add terms to others. One of the same text and kind replaces the first; `none` takes a text out."""
    return merge_rows(first, added, lambda row: row.kind == NONE)


def format_terms(rows: Iterable[Term]) -> str:
    """The text of a table of terms."""
    return format_table(rows, COLUMNS)


@cache
def shipped_terms() -> tuple[Term, ...]:
    """The terms of the package, `data/terms.tsv`."""
    return tuple(parse_terms(shipped_table(__package__, "terms.tsv"), "terms.tsv"))
