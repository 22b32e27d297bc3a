"""Lexicon files: one word a line, or tab-separated columns."""

import gzip
import zlib
from collections.abc import Sequence
from pathlib import Path

from ..corpus.atomic import replaced_when_done
from ..corpus.record import clipped
from ..corpus.textio import BOM, decode
from .lexicon import Lexicon, LexiconError

COLUMNS = ("word", "type", "frequency")
NO_VALUE = "-"
_GZIP = b"\x1f\x8b"


def read_lexicon(path: Path, columns: Sequence[str] | None = None) -> Lexicon:
    """Read a lexicon, gzipped or not.

    A file has one word a line, or columns with tabs between them. What a column holds is said by `columns`, or by a
    first line that names them (`word`, `type`, `frequency`); without either the first column is the word, and each
    other is the frequency if its first value is a whole number, otherwise the type. `-` or nothing is no value.
    Empty lines are passed over; a word that comes again adds to the first.

    columns: the columns, in their order: `word`, and at most once `type` and `frequency`.
    RAISES LexiconError: no such file, a line with another number of columns, a frequency that is no whole number, no
        word. CorpusError: the file is not UTF-8.
    """
    if not path.is_file():
        raise LexiconError(f"{path}: no such file")
    data = path.read_bytes()
    if data.startswith(_GZIP):
        try:
            data = gzip.decompress(data)
        except (OSError, EOFError, zlib.error) as error:
            raise LexiconError(f"{path}: damaged gzip file ({error}); get it again") from error
    return parse_lexicon(decode(data, path.name), path.name, columns)


def parse_lexicon(text: str, name: str, columns: Sequence[str] | None = None) -> Lexicon:
    """Read a lexicon from the text of a file; `name` serves the messages. For the rest see `read_lexicon`."""
    lines = text.removeprefix(BOM).split("\n")
    first = next((i for i, line in enumerate(lines) if line.strip()), 0)
    order = list(columns) if columns else None
    if order is None and (header := _header(lines[first])):
        order = header
        first += 1
    if order is None:
        order = _guess(lines[first:])
    if sorted(set(order)) != sorted(order) or "word" not in order or not set(order) <= set(COLUMNS):
        raise LexiconError(
            f"{name}: the columns must be word, and at most once type and frequency, but they are {', '.join(order)}"
        )
    lexicon = Lexicon()
    _add_lines(lexicon, lines[first:], order, name, first + 1)
    if not len(lexicon):
        raise LexiconError(f"{name}: no words in this lexicon; give one word a line")
    return lexicon


def _header(line: str) -> list[str] | None:
    names = [part.strip().lower() for part in line.split("\t")]
    return names if len(names) > 1 and "word" in names and set(names) <= set(COLUMNS) else None


def _guess(lines: list[str]) -> list[str]:
    """The columns, from the first value of each."""
    width = max((line.count("\t") + 1 for line in lines[:1]), default=1)
    kinds: dict[int, str] = {}
    for line in lines:
        for i, value in enumerate(line.split("\t")[1:width], 1):
            value = value.strip()
            if i not in kinds and value and value != NO_VALUE:
                kinds[i] = "frequency" if _is_number(value) else "type"
        if len(kinds) == width - 1:
            break
    # A column without any value can be either.
    left = [kind for kind in COLUMNS[1:] if kind not in kinds.values()]
    for i in range(1, width):
        if i not in kinds:
            kinds[i] = left.pop(0) if left else "type"
    return ["word", *(kinds[i] for i in range(1, width))]


def _add_lines(lexicon: Lexicon, lines: list[str], order: list[str], name: str, first: int) -> None:
    """Add the lines of a file from line `first` on."""
    at_word, at_type, at_count = (order.index(kind) if kind in order else -1 for kind in COLUMNS)
    for number, line in enumerate(lines, first):
        fields = line.split("\t")
        if len(fields) != len(order):
            if not line.strip():
                continue
            raise LexiconError(
                f"{name} line {number}: {len(fields)} columns where {len(order)} are expected ({', '.join(order)}): "
                f"{clipped(line)}"
            )
        word = fields[at_word].strip()
        kind = fields[at_type].strip() if at_type >= 0 else ""
        count = fields[at_count].strip() if at_count >= 0 else ""
        try:
            if word or any(map(str.strip, fields)):
                lexicon.add(word, "" if kind == NO_VALUE else kind, _frequency(count))
        except LexiconError as error:
            raise LexiconError(f"{name} line {number}: {error}") from error


def _frequency(count: str) -> int | None:
    if not count or count == NO_VALUE:
        return None
    if not _is_number(count):
        raise LexiconError(f"the frequency must be a whole number, but it is {clipped(count)}")
    return int(count)


def _is_number(value: str) -> bool:
    return value.isascii() and value.isdigit()


def format_lexicon(lexicon: Lexicon) -> str:
    """The one form in which lexicons are written: a header, then words in the order of their code points."""
    lines = ["\t".join(COLUMNS)]
    lines += [
        f"{word}\t{types or NO_VALUE}\t{NO_VALUE if frequency is None else frequency}"
        for word, types, frequency in sorted(lexicon.entries())
    ]
    return "\n".join(lines) + "\n"


def write_lexicon(lexicon: Lexicon, path: Path) -> None:
    """Write a lexicon, whole or not at all; gzipped if the file is called `.gz`."""
    data = format_lexicon(lexicon).encode("utf-8")
    with replaced_when_done(path) as scratch:
        # Without a time, so that the same words make the same file.
        scratch.write_bytes(gzip.compress(data, compresslevel=6, mtime=0) if path.suffix == ".gz" else data)
