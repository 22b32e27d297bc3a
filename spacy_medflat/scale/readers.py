"""Streaming readers: sources to items, in order, a few at a time in memory."""

import csv
import gzip
import sys
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from io import TextIOWrapper
from typing import Any, BinaryIO

from ..corpus.formats.docbin import read_docbin
from ..corpus.formats.json_io import read_objects
from ..encodings import SAMPLE_BYTES, detect_encoding, peek
from ..errors import SourceError
from ..files import BOM
from .items import Item
from .sources import STDIN, Source

_PARQUET_ROWS = 1000
# What the csv module says of a quote that is open at the end of the file.
_CUT_OFF = "unexpected end of data"


class Meter:
    """Counts the bytes of the inputs that have been read; those of packed files as they lie on the disk."""

    def __init__(self) -> None:
        self._done = 0
        self._file: BinaryIO | None = None

    def position(self) -> int:
        """Bytes read so far."""
        return self._done + (self._file.tell() if self._file else 0)

    @contextmanager
    def open(self, source: Source) -> Iterator[BinaryIO]:
        """The unpacked bytes of a source."""
        if str(source.path) == STDIN:
            yield sys.stdin.buffer
            return
        with source.path.open("rb", buffering=SAMPLE_BYTES) as file:
            self._file = file
            try:
                if source.packed:
                    with gzip.open(file) as unpacked:
                        yield unpacked  # type: ignore[misc]
                else:
                    yield file
            finally:
                self._file = None
                self._done += source.bytes


def read_items(sources: Iterable[Source], meter: Meter) -> Iterator[Item]:
    """The items of all sources.

    sources (iterable of Source): read in this order.
    meter (Meter): counts what is read.
    YIELDS (Item): a text, or one of the kind "broken" for a text that cannot be read.
    RAISES (SourceError): the rest of a source cannot be read.
    """
    for source in sources:
        try:
            yield from _READERS[source.kind](source, meter)
        except OSError as error:
            raise SourceError(f"{source.name}: cannot be read: {error.strerror or error}") from error
        except (EOFError, UnicodeError, zlib.error) as error:
            raise SourceError(f"{source.name}: damaged or cut off: {error}") from error


def _lines(source: Source, meter: Meter) -> Iterator[Item]:
    with meter.open(source) as file:
        for number, line in enumerate(_utf8(file, source), 1):
            content = line.removeprefix(BOM.encode()) if number == 1 else line
            content = content.removesuffix(b"\n").removesuffix(b"\r")
            if content.strip():
                yield Item(source.kind, source.name, number, content)


def _utf8(file: BinaryIO, source: Source) -> Iterator[bytes]:
    """The lines of a file in UTF-8. Bytes that are not in its encoding stay, for the parser of the line to find."""
    encoding = source.encoding or detect_encoding(peek(file))
    if encoding == "utf-8":
        yield from file
        return
    text = TextIOWrapper(file, encoding=encoding, errors="surrogateescape", newline="\n")
    yield from (line.encode("utf-8", "surrogateescape") for line in text)
    text.detach()


def _csv(source: Source, meter: Meter) -> Iterator[Item]:
    # The limit of the module, 131,072 characters a field, is no limit of texts.
    csv.field_size_limit(2**31 - 1)
    with meter.open(source) as file:
        encoding = source.encoding or detect_encoding(peek(file))
        # Bytes that are not in it become half surrogates, which the parser of the record finds.
        text = TextIOWrapper(
            file, encoding="utf-8-sig" if encoding == "utf-8" else encoding, errors="surrogateescape", newline=""
        )
        rows = csv.reader(text, delimiter="\t" if source.kind == "tsv" else ",", strict=True)
        header = _header(rows, source)
        number, row = rows.line_num + 1, []
        while True:
            try:
                row = next(rows)
            except StopIteration:
                break
            except csv.Error as error:
                if _CUT_OFF in str(error) and rows.line_num > number:
                    raise SourceError(
                        f"{source.name} line {number}: not CSV: a quote opens in this record and none closes it, so "
                        f"the {rows.line_num - number:,} lines after it cannot be told apart; correct the line"
                    ) from error
                yield Item("broken", source.name, number, f"not CSV: {error}{_lines_of(number, rows)}")
            else:
                if len(row) == len(header):
                    yield Item("csv", source.name, number, dict(zip(header, row, strict=True)))
                elif row:
                    reason = f"{len(row)} values, but the header has {len(header)} names{_lines_of(number, rows)}"
                    yield Item("broken", source.name, number, reason)
            number = rows.line_num + 1
        text.detach()


def _lines_of(first: int, rows: Any) -> str:
    return f"; it is lines {first:,} to {rows.line_num:,}" if rows.line_num > first else ""


def _header(rows: Iterator[list[str]], source: Source) -> list[str]:
    try:
        header = next(rows)
    except StopIteration:
        raise SourceError(f"{source.name}: the file is empty; expected a header with the names of the fields") from None
    except csv.Error as error:
        raise SourceError(f"{source.name} line 1: not CSV: {error}") from error
    double = sorted({name for name in header if header.count(name) > 1})
    if double:
        raise SourceError(f"{source.name} line 1: the header has {', '.join(map(repr, double))} twice")
    return header


def _parquet(source: Source, meter: Meter) -> Iterator[Item]:
    from .parquet import open_parquet

    with meter.open(source) as file:
        rows = open_parquet(file, source.name).iter_batches(batch_size=_PARQUET_ROWS)
        number = 0
        for batch in rows:
            for fields in batch.to_pylist():
                number += 1
                yield Item("record", source.name, number, fields)


def _text(source: Source, meter: Meter) -> Iterator[Item]:
    try:
        with meter.open(source) as file:
            data = file.read()
        encoding = source.encoding or detect_encoding(data, whole=True)
        if encoding != "utf-8":
            data = data.decode(encoding, "surrogateescape").encode("utf-8", "surrogateescape")
        yield Item("text", source.name, 0, (source.identifier, data))
    except (OSError, EOFError, UnicodeError, zlib.error) as error:
        # Other texts of the folder are in other files.
        yield Item("broken", source.name, 0, f"cannot be read: {error}")


def _docbin(source: Source, meter: Meter) -> Iterator[Item]:
    with meter.open(source):
        for number, record in enumerate(read_docbin(source.path), 1):
            yield Item("docbin", source.name, number, (record.id, record.text, record.meta))


def _json(source: Source, meter: Meter) -> Iterator[Item]:
    with meter.open(source):
        for number, (_, value) in enumerate(read_objects(source.path), 1):
            yield Item("record", source.name, number, value)


_READERS: dict[str, Callable[[Source, Meter], Iterator[Item]]] = {
    "jsonl": _lines,
    "lines": _lines,
    "json": _json,
    "csv": _csv,
    "tsv": _csv,
    "parquet": _parquet,
    "text": _text,
    "docbin": _docbin,
}
