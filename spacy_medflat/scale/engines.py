"""Who annotates the parts: this process, or several of this machine."""

import multiprocessing
import os
import signal
import threading
from collections.abc import Generator, Iterable
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool

from ..errors import MedflatError
from ..runtime import usable_cpus, use_threads
from .annotator import Annotator, Task
from .items import InputPart, OutputPart

_AHEAD = 2


def run_here(parts: Iterable[InputPart], task: Task) -> Generator[OutputPart]:
    """Annotate in this process. The pipeline is loaded when there is a part to annotate."""
    annotator: Annotator | None = None
    for part in parts:
        annotator = annotator or Annotator(task)
        yield annotator(part)


def run_in_processes(parts: Iterable[InputPart], task: Task, n_process: int) -> Generator[OutputPart]:
    """Annotate in several processes, which share the CPUs. Parts come as they are done, not in order.

    Two parts a process are read ahead, no more. If the iterator is closed or fails, the processes end.
    RAISES (MedflatError): A process died.
    """
    threads = max(1, usable_cpus() // n_process)
    # A forked process would inherit locks and threads of torch in any state.
    context = multiprocessing.get_context("spawn")
    strangers = set(multiprocessing.active_children())
    pool = ProcessPoolExecutor(n_process, context, initializer=_start_worker, initargs=(task, threads))
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
        raise MedflatError("a process died, perhaps for want of memory: try a smaller --n-process") from error
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
        for process in set(multiprocessing.active_children()) - strangers:
            process.terminate()


_task: Task | None = None
_annotator: Annotator | None = None


def _start_worker(task: Task, threads: int) -> None:
    global _task
    _task = task
    # Ctrl-C reaches all processes of a terminal; the first one ends the others.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    use_threads(threads)


def _end_with_parent() -> None:
    """Leave no process behind when the first one is killed."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _annotate(part: InputPart) -> OutputPart:
    global _annotator
    if _annotator is None:
        # Here and not at the start of the process, where an error would have no message.
        assert _task is not None
        _annotator = Annotator(_task)
    return _annotator(part)
