"""Tables that users edit and extend: tab-separated files with a line of column names."""

import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from importlib.resources import files
from typing import Any, Protocol, TypeVar

from .errors import TableError, clipped
from .files import BOM

NO_VALUE = "-"


class KeyedRow(Protocol):
    """A row of cells, the text first, with what makes it the same row as another."""

    @property
    def key(self) -> Any: ...

    def __getitem__(self, index: int, /) -> Any: ...


Row = TypeVar("Row", bound=KeyedRow)

# Full-width ASCII, the ideographic space, and dashes that are typed for a minus. One character for one.
_FOLDED = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)}
_FOLDED |= {ord(char): ord(" ") for char in "\u3000\u00a0\t\r\x0b\x0c"}
_FOLDED |= {ord(char): ord("-") for char in "\u2212\u2013\u2014\u2010\u2011\ufe63"}
_FOLDED |= {code: ord("\n") for code in (0x85, 0x2028, 0x2029)}
_FOLDED |= {code: code + 32 for code in range(ord("A"), ord("Z") + 1)}
_FOLDED |= {full: half + 32 for full, half in _FOLDED.items() if ord("A") <= half <= ord("Z")}


def fold(text: str) -> str:
    """Write a text in half-width, lower-case characters, so that its variants compare. Every offset stays."""
    return text.translate(_FOLDED)


def table_rows(text: str, name: str, columns: Sequence[str]) -> Iterator[tuple[str, list[str]]]:
    """Read the rows of a table. Empty lines, and lines that begin with `#`, are skipped.

    text (str): the table. Its first row names the columns, in any order; columns may be left out, and cells at the end
        of a row, too.
    name (str): what messages call it.
    columns (sequence of str): the known columns; the first must be there.
    YIELDS (tuple of str and list of str): the place of a row, for messages, and its cells in the order of `columns`,
        `-` where nothing stands.
    RAISES (TableError): there is no such row of names, or a row has more cells than it.
    """
    header: list[str] | None = None
    for number, line in enumerate(text.removeprefix(BOM).split("\n"), 1):
        line = line.removesuffix("\r")
        if not line.strip() or line.startswith("#"):
            continue
        place = f"{name} line {number}"
        cells = [cell.strip() for cell in line.split("\t")]
        if header is None:
            header = _header(cells, place, columns)
            continue
        if len(cells) > len(header):
            raise TableError(
                f"{place}: {len(cells)} cells, but there are {len(header)} columns ({', '.join(header)}): "
                f"{clipped(line)}"
            )
        values = dict(zip(header, cells, strict=False))
        yield place, [values.get(column, "") or NO_VALUE for column in columns]
    if header is None:
        raise TableError(f"{name}: no line of column names; begin with {' '.join(columns)}, tabs between them")


def _header(cells: list[str], place: str, columns: Sequence[str]) -> list[str]:
    names = [cell.lower() for cell in cells]
    if columns[0] not in names or not set(names) <= set(columns) or len(set(names)) < len(names):
        raise TableError(
            f"{place}: the first line must name the columns, tabs between them: {columns[0]}, and any of "
            f"{', '.join(columns[1:])}; it is {clipped(' '.join(cells))}"
        )
    return names


def format_table(rows: Iterable[Sequence[str]], columns: Sequence[str]) -> str:
    """The text of a table, that `table_rows` reads."""
    return "".join("\t".join(cells) + "\n" for cells in [columns, *rows])


def merge_rows(first: Iterable[Row], added: Iterable[Row], taken_out: Callable[[Row], bool]) -> list[Row]:
    """Add rows to others. One of the same key replaces the first; one that takes out removes all rows of its text.

    taken_out (callable): whether a row says that its text, the first cell, is to go.
    """
    added = list(added)
    gone = {fold(row[0]) for row in added if taken_out(row)}
    merged = {row.key: row for row in first if fold(row[0]) not in gone}
    merged.update((row.key, row) for row in added if not taken_out(row))
    return list(merged.values())


def shipped_table(package: str, file: str) -> str:
    """The text of a table that comes with a package of this project, in its folder `data`."""
    return files(package).joinpath("data").joinpath(file).read_text(encoding="utf-8")


def check_word(text: str, place: str, what: str) -> str:
    """Make sure that a text can be looked for.

    what (str): what messages call it.
    RETURNS (str): the text.
    RAISES (TableError): it is empty, or has a tab, a line end or a control character.
    """
    if text in ("", NO_VALUE) or text != text.strip() or any(unicodedata.category(char) == "Cc" for char in text):
        raise TableError(f"{place}: {clipped(text)} is no {what}: write text without tabs and line ends")
    return text
