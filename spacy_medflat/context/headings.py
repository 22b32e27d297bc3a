"""Headings of Chinese notes: their table, and finding the sections that they begin."""

import re
from collections.abc import Iterable, Iterator
from functools import cache
from typing import NamedTuple

from ..errors import TableError, clipped
from ..tables import NO_VALUE, check_word, fold, format_table, shipped_table, table_rows

COLUMNS = ("heading", "section")
# In a table that is added, the section of a heading that is taken out of the first one.
NONE = "none"

_BULLET = r"[#*\-•·■□◆●▲※]{0,3}[ ]{0,8}"
_NUMBER = r"(?:\(?(?:\d{1,2}|[一二三四五六七八九十]{1,3})(?:[.、:]|\)[.、]?)[ ]{0,8})?"
# 诊断（西医）, 初步诊断(2020-01-01)
_REMARK = r"(?:[ ]{0,4}\([^()\n]{0,20}\))?"


class Heading(NamedTuple):
    """A row of the table.

    heading (str): as it is written, without punctuation.
    section (str): the label of what it begins.
    """

    heading: str
    section: str


class Section(NamedTuple):
    """A section of a note.

    start, end (int): its characters with the title, without white space at the end; `end` exclusive.
    label (str): what it is.
    title_end (int): where its title ends, with the colon.
    """

    start: int
    end: int
    label: str
    title_end: int


def parse_headings(text: str, name: str) -> list[Heading]:
    """Read a table of headings from the text of a file: columns `heading` and `section`.

    name (str): what messages call it.
    RAISES (TableError): a heading without a section, or twice; the message names the line.
    """
    found: dict[str, tuple[str, Heading]] = {}
    for place, (heading, section) in table_rows(text, name, COLUMNS):
        row = Heading(check_word(heading, place, "heading"), check_word(section, place, "section"))
        key = _key(heading)
        if not key:
            raise TableError(f"{place}: {clipped(heading)} is no heading: write it without punctuation")
        if key in found:
            raise TableError(f"{place}: {clipped(heading)} is a heading already in {found[key][0]}")
        found[key] = (place.removeprefix(f"{name} "), row)
    return [row for _, row in found.values()]


def merge_headings(first: Iterable[Heading], added: Iterable[Heading]) -> list[Heading]:
    """Add headings to others. One of the same text replaces the first; the section `none` takes it out."""
    merged = {_key(row.heading): row for row in [*first, *added]}
    return [row for row in merged.values() if row.section not in (NONE, NO_VALUE)]


def format_headings(rows: Iterable[Heading]) -> str:
    """The text of a table of headings."""
    return format_table(rows, COLUMNS)


@cache
def shipped_headings() -> tuple[Heading, ...]:
    """The headings of the package, `data/headings.tsv`."""
    return tuple(parse_headings(shipped_table(__package__, "headings.tsv"), "headings.tsv"))


def _key(heading: str) -> str:
    return re.sub(r"[\s:]", "", fold(heading))


class HeadingMatcher:
    """Finds the sections of a text.

    A title stands at the beginning of a line, behind the end of a sentence, or in 【】 or []. Blanks in it, a number or
    bullet before it and a remark in brackets behind it change nothing. At the beginning of a line, a colon, a blank or
    the end of the line follows it; elsewhere a colon must.
    """

    def __init__(self, rows: Iterable[Heading]):
        """Make the pattern of a table."""
        self._sections = {_key(row.heading): row.section for row in rows}
        self._pattern = _titles(sorted(self._sections, key=lambda name: (-len(name), name)))

    def find(self, text: str) -> Iterator[Section]:
        """The sections of a text in their order. What stands before the first title is in none."""
        folded = fold(text)
        titles = list(self._pattern.finditer(folded))
        for number, title in enumerate(titles):
            following = titles[number + 1].start() if number + 1 < len(titles) else len(text)
            name = next(found for found in title.groups() if found)
            start = title.end() - len(title.group().lstrip())
            end = start + len(text[start:following].rstrip())
            yield Section(start, end, self._sections[_key(name)], min(title.end(), end))


def _titles(names: Iterable[str]) -> re.Pattern[str]:
    """A pattern with a group for a name in each of the three places."""
    words = "|".join("[ ]{0,4}".join(map(re.escape, name)) for name in names) or "(?!)"
    name = rf"{_NUMBER}({words}){_REMARK}[ ]{{0,4}}"
    boxed = rf"{_NUMBER}[\[【〔][ ]{{0,4}}{name}:?[\]】〕][ ]{{0,4}}:?"
    first_of_line = rf"(?:^|(?<=\n))[ ]{{0,20}}{_BULLET}{name}(?::|(?=\n|$)|(?<= ))"
    inner = rf"(?<=[。;!?\n ]){name}:"
    return re.compile(f"{boxed}|{first_of_line}|{inner}")
