"""Annotating parts in several processes of this machine."""

import multiprocessing
import signal
from collections.abc import Generator, Iterable
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool

from ..errors import MedflatError
from ..runtime import end_with_parent, usable_cpus, use_threads
from .annotator import Annotator
from .items import InputPart, OutputPart

# Parts that are read ahead for each process.
_AHEAD = 2


def run_in_processes(parts: Iterable[InputPart], annotator: Annotator, n_process: int) -> Generator[OutputPart]:
    """Annotate in several processes, which share the CPUs. If the iterator is closed or fails, the processes end.

    parts (iterable of InputPart): read only two a process ahead.
    annotator (Annotator): copied into each process, where it loads the pipeline.
    n_process (int): how many processes.
    YIELDS (OutputPart): as they are done, not in order.
    RAISES (MedflatError): a process died.
    """
    threads = max(1, usable_cpus() // n_process)
    # A forked process would inherit locks and threads of torch in any state.
    context = multiprocessing.get_context("spawn")
    others = set(multiprocessing.active_children())
    pool = ProcessPoolExecutor(n_process, context, initializer=_start_worker, initargs=(annotator, threads))
    waiting: set[Future[OutputPart]] = set()
    try:
        for part in parts:
            waiting.add(pool.submit(_annotate, part))
            if len(waiting) >= _AHEAD * n_process:
                done, waiting = wait(waiting, return_when=FIRST_COMPLETED)
                yield from (future.result() for future in done)
        while waiting:
            done, waiting = wait(waiting, return_when=FIRST_COMPLETED)
            yield from (future.result() for future in done)
        pool.shutdown()
    except BrokenProcessPool as error:
        raise MedflatError("a process died, perhaps because memory ran out: try a smaller --n-process") from error
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
        for process in set(multiprocessing.active_children()) - others:
            process.terminate()


_annotator: Annotator | None = None


def _start_worker(annotator: Annotator, threads: int) -> None:
    global _annotator
    _annotator = annotator
    # Ctrl-C reaches all processes of a terminal; the first one ends the others.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    end_with_parent()
    use_threads(threads)


def _annotate(part: InputPart) -> OutputPart:
    assert _annotator is not None
    return _annotator(part)
