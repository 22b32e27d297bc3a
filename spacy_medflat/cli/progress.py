"""Progress bars on stderr, which vanish when the work is done and never appear in a log file."""

import sys
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TypeVar

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

from ..encoder.pretraining.run_options import Moment
from ..errors import amount
from ..scale.run import State

TextT = TypeVar("TextT")
_REDRAW_EVERY = 100


def counted(texts: Iterable[TextT], what: str = "") -> Iterator[TextT]:
    """Count texts as they are taken.

    texts (iterable): what is counted.
    what (str): is done with them, to be shown.
    YIELDS (same type): each text.
    """
    with _progress(MofNCompleteColumn()) as progress:
        total = len(texts) if isinstance(texts, Collection) else None
        yield from progress.track(texts, total=total, description=what)


@contextmanager
def bytes_done(path: Path) -> Iterator[Callable[[int], None]]:
    """Give a function to be called with the number of bytes of the file that are done."""
    with _progress(DownloadColumn()) as progress:
        task = progress.add_task(path.name, total=path.stat().st_size)
        yield lambda done: progress.update(task, completed=done)


@contextmanager
def stages_done() -> Iterator[Callable[[str, int, int | None], None]]:
    """Give a function to be called with a stage of the work, the steps done in it, and their total if known."""
    with _progress(MofNCompleteColumn()) as progress:
        tasks = {}

        def update(stage: str, done: int, total: int | None) -> None:
            if stage not in tasks:
                tasks[stage] = progress.add_task(stage, total=total)
            if done % _REDRAW_EVERY == 0 or done == total:
                progress.update(tasks[stage], completed=done)

        yield update


@contextmanager
def texts_done() -> Iterator[Callable[[State], None]]:
    """Give a function to be called with how far a run over an archive is."""
    with _progress(TextColumn("{task.fields[shown]}")) as progress:
        task = progress.add_task("annotating", total=None, shown="")
        start = first = None

        def update(state: State) -> None:
            nonlocal start, first
            if start is None or first is None:
                # What was done before, and the first part with the loading of the pipeline, are no measure.
                start, first = progress.get_time(), state.documents
            seconds = progress.get_time() - start
            rate = f", {(state.documents - first) / seconds:,.1f} a second" if state.documents > first else ""
            shown = f"{amount(state.documents, 'text')}{rate}{f', {state.failed:,} failed' if state.failed else ''}"
            progress.update(task, total=state.total or None, completed=state.position, shown=shown)

        yield update


@contextmanager
def steps_done(seconds: float) -> Iterator[tuple[Callable[[Moment], None], float]]:
    """Give a function to be called with how far a training is, and how many seconds are to pass between the calls.

    Where there is no terminal, a line is written at each call.

    seconds (float): between lines.
    """
    with _progress(TextColumn("{task.fields[shown]}")) as progress:
        task = progress.add_task("training", total=None, shown="", visible=False)

        def update(moment: Moment) -> None:
            rate = moment.characters / max(moment.seconds, 1e-9)
            shown = f"loss {moment.loss:.3f}, {rate:,.0f} characters a second"
            if not progress.disable:
                progress.update(task, total=moment.steps, completed=moment.step, shown=shown, visible=True)
                return
            left = timedelta(seconds=round((moment.steps - moment.step) * moment.seconds / max(moment.done, 1)))
            line = f"step {moment.step:,} of {moment.steps:,}: {shown}, {left} to go"
            print(line, file=sys.stderr, flush=True)

        yield update, seconds if progress.disable else 1.0


def _progress(column: ProgressColumn) -> Progress:
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), column, TimeElapsedColumn(), TimeRemainingColumn())
    return Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
