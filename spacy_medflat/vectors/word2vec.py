"""word2vec files, text and binary, one row at a time.

gensim's own loader fills a matrix of all rows before any can be left out (1.6 GB for 1.3 million rows of 300), turns
every number into a Python float on the way, and shows no progress. Here a row's numbers stay bytes until someone wants
them.
"""

import codecs
import io
import re
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..errors import MedflatError, clipped

Floats = NDArray[np.float32]

_CHUNK = 1 << 20
_LONGEST_WORD = 1 << 14


class Header(NamedTuple):
    """What the beginning of a file says.

    rows (int or None): how many there are; None without a header line.
    dimension (int): numbers in a vector.
    binary (bool): how the file is stored.
    """

    rows: int | None
    dimension: int
    binary: bool


class VectorRow(NamedTuple):
    """A word and its numbers, both as they stand in the file.

    number (int): counts from 1: the line of a text file, the row of a binary one.
    word (bytes): may be no UTF-8, be empty, or have spaces in it.
    numbers (bytes): see `parse`.
    """

    number: int
    word: bytes
    numbers: bytes


def read_header(file: io.BufferedReader, name: str, binary: bool | None = None) -> Header:
    """Read the header line `rows dimension`; a text file may lack it.

    file (BufferedReader): at its beginning.
    name (str): of the file, for messages.
    binary (bool or None): how the file is stored; None looks at the first row.
    RAISES (MedflatError): the file is empty, or its first line is neither a header nor a row.
    """
    if file.peek(_CHUNK).startswith(codecs.BOM_UTF8):
        file.read(len(codecs.BOM_UTF8))
    start = file.peek(_CHUNK)
    line = start.split(b"\n", 1)[0]
    if not start.strip():
        raise MedflatError(f"{name}: the file is empty")
    fields = line.split()
    if len(fields) == 2 and all(field.isdigit() and len(field) < 19 for field in fields):
        rows, dimension = map(int, fields)
        if not rows or not dimension:
            raise MedflatError(f"{name} line 1: the header {clipped(_shown(line))} promises no vectors")
        file.readline()
        return Header(rows, dimension, not _looks_like_text(file) if binary is None else binary)
    if not binary and len(fields) > 2 and all(map(_is_number, fields[1:])):
        return Header(None, len(fields) - 1, False)
    raise MedflatError(
        f"{name} line 1: {clipped(_shown(line))} is neither the header of a word2vec file, 'rows dimension', "
        "nor a word with its numbers"
    )


def iter_rows(file: io.BufferedReader, header: Header, name: str) -> Iterator[VectorRow]:
    """Read the rows after the header. More of them than the header says are read too.

    file (BufferedReader): after its header.
    header (Header): see `read_header`.
    name (str): of the file, for messages.
    YIELDS (VectorRow): each row.
    RAISES (MedflatError): a row has too few or too many numbers, or there are fewer rows than the header says.
    """
    rows = _binary_rows(file, header, name) if header.binary else _text_rows(file, header, name)
    count = 0
    for count, row in enumerate(rows, 1):  # noqa: B007
        yield row
    if header.rows is not None and count < header.rows:
        raise MedflatError(
            f"{name}: the header says {header.rows:,} rows, the file ends after {count:,}; it was cut short, "
            "or its first line has to be corrected"
        )


def parse(row: VectorRow, header: Header, name: str) -> Floats:
    """Read the numbers of a row.

    row (VectorRow), header (Header): see `iter_rows`.
    name (str): of the file, for messages.
    RETURNS (float32 [dimension]): the numbers.
    RAISES (MedflatError): something is not a number, or not a finite one.
    """
    if header.binary:
        vector = np.frombuffer(row.numbers, dtype="<f4").astype(np.float32)
    else:
        try:
            # Not np.fromstring: before NumPy 2.3 it takes "2,5" for 2. What is too large is found below.
            with np.errstate(over="ignore"):
                vector = np.array(row.numbers.split(), dtype=np.float32)
        except ValueError:
            vector = np.empty(0, dtype=np.float32)
        if vector.size != header.dimension or b"_" in row.numbers:
            raise MedflatError(f"{place(row, header, name)}: {_first_bad(row.numbers)} is not a number")
    if not np.isfinite(vector).all():
        column = int(np.argmin(np.isfinite(vector)))
        raise MedflatError(
            f"{place(row, header, name)}: number {column + 1} of {clipped(_shown(row.word))} is {vector[column]}; "
            "a vector has to be finite"
        )
    return vector


def place(row: VectorRow, header: Header, name: str) -> str:
    """Where a row stands, for messages."""
    return f"{name} {'row' if header.binary else 'line'} {row.number}"


def _text_rows(file: io.BufferedReader, header: Header, name: str) -> Iterator[VectorRow]:
    dimension = header.dimension
    for number, data in enumerate(file, 1 if header.rows is None else 2):
        line = data.rstrip(b" \t\r\n")
        if line.count(b" ") == dimension and line[0] != 32 and b"  " not in line:
            end = line.index(b" ")
            yield VectorRow(number, line[:end], line[end + 1 :])
        elif line:
            yield _uneven_row(number, line, header, name)


def _uneven_row(number: int, line: bytes, header: Header, name: str) -> VectorRow:
    """A row with unusual white space: between the numbers, inside the word, or instead of it."""
    dimension = header.dimension
    fields = line.split()
    if len(fields) == dimension and line[:1].isspace():
        fields.insert(0, b"")
    extra = len(fields) - 1 - dimension
    # Public files have words such as "1 2"; a Chinese word that a number follows has lost count.
    if extra < 0 or (extra > 0 and not fields[0].isascii() and all(map(_is_number, fields[1:]))):
        source = "the first row has" if header.rows is None else "the header says"
        raise MedflatError(
            f"{name} line {number}: {clipped(_shown(fields[0]))} has {len(fields) - 1} numbers, {source} {dimension}"
        )
    return VectorRow(number, b" ".join(fields[: extra + 1]), b" ".join(fields[extra + 1 :]))


def _binary_rows(file: io.BufferedReader, header: Header, name: str) -> Iterator[VectorRow]:
    size = 4 * header.dimension
    buffer, start, number = b"", 0, 1
    while True:
        space = buffer.find(b" ", start)
        if space < 0 or len(buffer) - space - 1 < size:
            if space < 0 and len(buffer) - start > _LONGEST_WORD:
                raise _no_word(buffer[start:], number, header, name)
            more = file.read(_CHUNK)
            if not more:
                break
            buffer, start = buffer[start:] + more, 0
            continue
        # The original tool ends each vector with a line feed, others do not.
        word = buffer[start:space].lstrip(b"\n")
        if b"\0" in word:
            raise _no_word(word, number, header, name)
        start = space + 1 + size
        yield VectorRow(number, word, buffer[space + 1 : start])
        number += 1
    if buffer[start:].strip(b"\n"):
        raise MedflatError(
            f"{name} row {number}: the file ends inside this row of {header.dimension} numbers; it was cut short, "
            "or the header's dimension is wrong"
        )


def _no_word(found: bytes, number: int, header: Header, name: str) -> MedflatError:
    return MedflatError(
        f"{name} row {number}: {clipped(found[:40])} is no word; the file is not word2vec binary, or its vectors "
        f"do not have the {header.dimension} numbers that its header says"
    )


def _looks_like_text(file: io.BufferedReader) -> bool:
    """Whether the first row goes on, after its word, as UTF-8 with a number in it; floats hardly ever do."""
    rest = re.split(rb"[ \t]", file.peek(_CHUNK), maxsplit=1)[-1].split(b"\n", 1)[0]
    try:
        # What was peeked at may end inside a character.
        shown = codecs.getincrementaldecoder("utf-8")().decode(rest)
    except UnicodeDecodeError:
        return False
    control = any(ord(char) < 32 and not char.isspace() for char in shown)
    return not control and any(map(_is_number, rest.split()))


def _is_number(field: bytes) -> bool:
    try:
        float(field)
    except ValueError:
        return False
    # Python reads 1_0 as 10.
    return b"_" not in field


def _first_bad(numbers: bytes) -> str:
    return clipped(_shown(next((field for field in numbers.split() if not _is_number(field)), numbers)))


def _shown(data: bytes) -> str:
    return data.decode("utf-8", errors="replace")
