"""Progress bars on stderr, which vanish when the work is done and never appear in a log file."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

_REDRAW_EVERY = 100


@contextmanager
def bytes_done(path: Path) -> Iterator[Callable[[int], None]]:
    """Yields a function to be called with the number of bytes of the file that are done."""
    with _progress(DownloadColumn()) as progress:
        task = progress.add_task(path.name, total=path.stat().st_size)
        yield lambda done: progress.update(task, completed=done)


@contextmanager
def stages_done() -> Iterator[Callable[[str, int, int | None], None]]:
    """Yields a function to be called with a stage of the work, the steps done in it, and their total if known."""
    with _progress(MofNCompleteColumn()) as progress:
        tasks = {}

        def update(stage: str, done: int, total: int | None) -> None:
            if stage not in tasks:
                tasks[stage] = progress.add_task(stage, total=total)
            if done % _REDRAW_EVERY == 0 or done == total:
                progress.update(tasks[stage], completed=done)

        yield update


def _progress(column: ProgressColumn) -> Progress:
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), column, TimeElapsedColumn(), TimeRemainingColumn())
    return Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
