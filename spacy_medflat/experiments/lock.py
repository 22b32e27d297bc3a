"""One process for one run: a lock that lives as long as any process that works in the folder."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .matrix import ExperimentError

try:
    import fcntl
except ImportError:  # Windows has no such locks; two trainings in one folder are then the user's to avoid.
    fcntl = None  # type: ignore[assignment]


@contextmanager
def locked(path: Path) -> Iterator[tuple[int, ...]]:
    """Hold the lock of this file, which is made if need be.

    Yields the descriptors to pass on to processes that are started: the lock is free once all of them have ended, so
    that a training whose parent was killed still keeps others out.
    RAISES (ExperimentError): Another process holds it.
    """
    with path.open("ab") as file:
        if fcntl is None:
            yield ()
            return
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise ExperimentError(f"another process is at work in {path.parent}; wait for it, or end it") from error
        yield (file.fileno(),)
