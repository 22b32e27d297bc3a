"""UTF-8 files as text and as lines, with errors that say where the bad byte is."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

from .record import CorpusError

BOM = "\ufeff"


def decode(data: bytes, name: str, first_line: int = 1) -> str:
    """Decode UTF-8 without touching line ends or a byte order mark.

    `name` and `first_line` (the line number of the first byte) serve the message.
    RAISES (CorpusError): If the bytes are not UTF-8.
    """
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = first_line + data.count(b"\n", 0, error.start)
        raise CorpusError(
            f"{name} line {line}: not UTF-8 (byte 0x{data[error.start]:02x}); save the file as UTF-8"
        ) from error


def read_text(path: Path, name: str | None = None) -> str:
    """The whole file, every character as it stands, so that offsets count what is in the file."""
    return decode(path.read_bytes(), name or path.name)


def iter_lines(path: Path) -> Iterator[tuple[int, str]]:
    """Line number (from 1) and line. Only `\\n` and `\\r\\n` end a line, and neither is kept."""
    with path.open("rb") as file:
        for number, data in enumerate(file, 1):
            yield number, decode(data, path.name, number).removesuffix("\n").removesuffix("\r")


def escaped(text: str) -> str:
    """The text with what UTF-8 cannot hold, halves of surrogate pairs, as escapes such as `\\ud83d`."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def open_for_writing(path: Path) -> TextIO:
    """Open a UTF-8 file whose line ends are `\\n` on every system."""
    return path.open("w", encoding="utf-8", newline="\n")
