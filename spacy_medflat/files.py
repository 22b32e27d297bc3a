"""Files: text decoded with the place of its errors, outputs that appear whole or not at all, locks."""

import gzip
import json
import os
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any, TextIO, TypeVar

from filelock import FileLock, Timeout
from pydantic import BaseModel, ValidationError

from .errors import MedflatError, first_problem

BOM = "\ufeff"
ModelT = TypeVar("ModelT", bound=BaseModel)


def decode(data: bytes, name: str, first_line: int = 1) -> str:
    """Decode UTF-8 without touching line ends or a byte order mark.

    data (bytes): what is decoded.
    name (str): what to call the file in messages.
    first_line (int): number of the line in which the bytes begin, for messages.
    RAISES (MedflatError): the bytes are not UTF-8.
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
    """Read a UTF-8 file line by line. Only `\\n` and `\\r\\n` end a line.

    YIELDS (tuple of int and str): number of the line, from 1, and the line without its end.
    RAISES (MedflatError): a line is not UTF-8.
    """
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
    """Give a path of the same name to write to, which replaces the target if the block succeeds.

    Missing parent folders of the target are made. After an error the target is as it was.

    target (Path): the file or folder to write.
    force (bool): replace a folder that is not empty, too.
    durable (bool): wait until the data is on the disk, so that it survives a power failure.
    YIELDS (Path): where to write.
    RAISES (MedflatError): the target is a folder that is not empty, without `force`; or it is a folder and a file was
        written, or the reverse.
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


def write_text(path: Path, text: str, durable: bool = False) -> None:
    """Write a UTF-8 file, whole or not at all; for `durable` see `replaced_when_done`."""
    with replaced_when_done(path, durable=durable) as scratch:
        scratch.write_text(text, encoding="utf-8", newline="\n")


def write_json(path: Path, value: dict[str, Any], durable: bool = False) -> None:
    """Write an indented JSON file, whole or not at all; for `durable` see `replaced_when_done`."""
    # srsly.write_json would escape every Chinese character.
    write_text(path, f"{json.dumps(value, ensure_ascii=False, indent=2)}\n", durable)


def write_lines(path: Path, lines: Iterable[str]) -> None:
    """Write UTF-8 lines, whole or not at all, gzipped if the name ends in `.gz`; the same lines give the same bytes.

    path (Path): the file.
    lines (iterable of str): the lines with their ends.
    """
    with replaced_when_done(path) as scratch, scratch.open("wb") as raw:
        # Without a time and a name, the bytes depend on the lines only.
        packed = gzip.GzipFile("", "wb", 6, raw, mtime=0) if path.suffix == ".gz" else nullcontext(raw)
        with packed as file:
            file.writelines(line.encode("utf-8") for line in lines)


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the lock of a file, which is created if it is missing. It ends with this process at the latest.

    Where a network file system has no locks, this keeps nobody out.

    RAISES (MedflatError): another process holds the lock.
    """
    lock = FileLock(path, timeout=0)
    try:
        lock.acquire()
    except Timeout as error:
        raise MedflatError(f"another process is at work in {path.parent}; wait for it, or end it") from error
    except NotImplementedError:
        pass
    try:
        yield
    finally:
        lock.release()


def read_json(path: Path) -> dict[str, Any]:
    """Read the object in a JSON file.

    RAISES (MedflatError): the file cannot be read, or holds something else.
    """
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise MedflatError(f"{path}: cannot be read: {error}; remove it and run again") from error
    if not isinstance(value, dict):
        raise MedflatError(f"{path}: not a JSON object; remove it and run again")
    return value


def read_model(path: Path, model: type[ModelT], remedy: str) -> ModelT:
    """Read a JSON file of a known form.

    path (Path): the file.
    model (subclass of BaseModel): its form.
    remedy (str): what to do about a file of another form, for the message.
    RAISES (MedflatError): it has another form.
    """
    try:
        return model.model_validate_json(path.read_bytes())
    except ValidationError as error:
        message = f"{path}: damaged, or of another version; {remedy} ({first_problem(error)})"
        raise MedflatError(message) from error
