"""Progress bars on stderr, which vanish when the work is done and never appear in a log file."""

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
from rich.text import Text

from ..encoder.pretraining.run_options import Moment, Watcher
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
def steps_watched(seconds: float) -> Iterator[Watcher]:
    """Watch a training: a bar with its rate, and lines above it. Without a terminal, a line now and then, for a log.

    seconds (float): between these lines.
    """
    with _progress(TextColumn("{task.fields[shown]}")) as progress:
        task = progress.add_task("reading", total=None, shown="")
        begun = False

        def show(line: str, style: str = "") -> None:
            progress.console.print(Text(line, style=style), soft_wrap=True)

        def reading(stage: str, done: int, total: int | None) -> None:
            progress.update(task, description=stage, shown=amount(done, "text"))

        def moment(now: Moment) -> None:
            nonlocal begun
            rate = now.characters / max(now.seconds, 1e-9)
            shown = f"loss {now.loss:.3f}, {rate:,.0f} characters a second"
            if progress.disable:
                left = timedelta(seconds=round((now.steps - now.step) * now.seconds / max(now.done, 1)))
                show(f"step {now.step:,} of {now.steps:,}: {shown}, {left} to go")
            elif begun:
                progress.update(task, completed=now.step, shown=shown)
            else:
                # What was done before is no measure of the time that is left.
                progress.reset(task, total=now.steps, completed=now.step, description="training", shown=shown)
                begun = True

        every = seconds if progress.disable else 1.0
        yield Watcher(reading, moment, show, lambda line: show(f"Warning: {line}", "yellow"), every)


def _progress(column: ProgressColumn) -> Progress:
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), column, TimeElapsedColumn(), TimeRemainingColumn())
    return Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
