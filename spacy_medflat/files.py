"""Files: text decoded with the place of its errors, outputs that appear whole or not at all, locks."""

import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

from .errors import MedflatError

try:
    import fcntl
except ImportError:
    fcntl = None  # type: ignore[assignment]

BOM = "\ufeff"


def decode(data: bytes, name: str, first_line: int = 1) -> str:
    """Decode UTF-8 without touching line ends or a byte order mark.

    `name` and `first_line` (the line number of the first byte) serve the message.
    RAISES (MedflatError): If the bytes are not UTF-8.
    """
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = first_line + data.count(b"\n", 0, error.start)
        raise MedflatError(
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


@contextmanager
def replaced_when_done(target: Path, force: bool = False, durable: bool = False) -> Iterator[Path]:
    """A path of the same name to write to; it takes the target's place if the block succeeds.

    Missing parent folders of the target are made. After an error the target is as it was.
    force: Replace a folder with something in it, too.
    durable: Wait until the disk has it, so that it outlives a power failure.
    RAISES (MedflatError): If the target is a folder with something in it, without `force`, or a folder where a file is
        written, or the other way round.
    """
    if not force and target.is_dir() and any(target.iterdir()):
        raise MedflatError(f"{target}: this folder is not empty; give a new or an empty one")
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".medflat-", dir=target.parent) as folder:
        scratch = Path(folder) / target.name
        yield scratch
        if durable:
            for path in [*scratch.rglob("*"), scratch] if scratch.is_dir() else [scratch]:
                _flush(path)
        try:
            if scratch.is_dir() and target.is_dir():
                target.replace(Path(folder) / "replaced")
            scratch.replace(target)
        except (IsADirectoryError, NotADirectoryError) as error:
            there, wanted = ("folder", "file") if target.is_dir() else ("file", "folder")
            message = f"{target}: there is a {there} of this name, and a {wanted} is to be written; give another name"
            raise MedflatError(message) from error
    if durable:
        _flush(target.parent)


def _flush(path: Path) -> None:
    # Windows cannot open folders, and needs no flush of them.
    if os.name == "nt" and path.is_dir():
        return
    descriptor = os.open(path, os.O_RDWR if os.name == "nt" else os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_json(path: Path, value: dict[str, Any], durable: bool = False) -> None:
    """Write an indented JSON file, whole or not at all; `durable` as above."""
    with replaced_when_done(path, durable=durable) as scratch:
        # srsly.write_json would escape every Chinese character.
        text = json.dumps(value, ensure_ascii=False, indent=2)
        scratch.write_text(f"{text}\n", encoding="utf-8", newline="\n")


@contextmanager
def locked(path: Path) -> Iterator[tuple[int, ...]]:
    """Hold the lock of a file, which is made if need be, or of a folder.

    Yields the descriptors to pass on to processes that are started: the lock is free once all of them have ended, so
    that work whose parent was killed still keeps others out. Does nothing where the system has no such locks (Windows,
    some network file systems).
    RAISES (MedflatError): Another process holds it.
    """
    if fcntl is None:
        yield ()
        return
    descriptor = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDONLY | os.O_CREAT, 0o666)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            folder = path if path.is_dir() else path.parent
            raise MedflatError(f"another process is at work in {folder}; wait for it, or end it") from error
        except OSError:
            pass
        yield (descriptor,)
    finally:
        os.close(descriptor)


def read_json(path: Path) -> dict[str, Any]:
    """The object in a JSON file.

    RAISES (MedflatError): It cannot be read, or is no object.
    """
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise MedflatError(f"{path}: cannot be read: {error}; remove it and run again") from error
    if not isinstance(value, dict):
        raise MedflatError(f"{path}: not a JSON object; remove it and run again")
    return value
