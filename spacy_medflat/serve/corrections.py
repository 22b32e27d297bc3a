"""The file to which corrections are added, a record a line."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ..errors import MedflatError
from .answers import ServeError, json_bytes


class CorrectionsFile:
    """JSON lines that `convert` and the training read. What cannot be added whole is not added at all."""

    def __init__(self, path: Path):
        """path (Path): the file; it need not be there yet."""
        self.path = path

    def check(self) -> None:
        """RAISES (MedflatError): the file cannot be written."""
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            os.close(self._open())
        except OSError as error:
            raise MedflatError(f"{self.path}: corrections cannot be kept there: {error.strerror or error}") from error

    def add(self, records: Sequence[dict[str, Any]]) -> None:
        """Add records, and wait until the disk has them.

        records (sequence of dict): with the fields of JSON lines.
        RAISES (ServeError): there is no room for them, or the file cannot be written; it is then as it was.
        """
        lines = b"".join(json_bytes(record) + b"\n" for record in records)
        try:
            descriptor = self._open()
            try:
                _append(descriptor, lines)
            finally:
                os.close(descriptor)
        except OSError as error:
            reason = error.strerror or error
            message = f"the corrections cannot be kept: {reason}; none of them is. Make room, and send them again"
            raise ServeError(507, "disk_full", message) from error

    def _open(self) -> int:
        # Texts of patients: nobody else is to read them.
        return os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND | getattr(os, "O_BINARY", 0), 0o600)


def _append(descriptor: int, data: bytes) -> None:
    before = os.lseek(descriptor, 0, os.SEEK_END)
    # After a power failure the last line may be without its end.
    if before and _last_byte(descriptor, before) != b"\n":
        data = b"\n" + data
    try:
        left = memoryview(data)
        while left:
            left = left[os.write(descriptor, left) :]
        os.fsync(descriptor)
    except OSError:
        os.ftruncate(descriptor, before)
        raise


def _last_byte(descriptor: int, size: int) -> bytes:
    os.lseek(descriptor, size - 1, os.SEEK_SET)
    return os.read(descriptor, 1)
