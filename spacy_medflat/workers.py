"""Threads in worker processes, those of `nlp.pipe(n_process=…)` and our own."""

import multiprocessing
from functools import lru_cache

_chosen = False


def use_threads(threads: int) -> None:
    """Let torch use so many threads in this process, a worker or not. For one that was spawned, not forked."""
    import torch

    global _chosen
    _chosen = True
    torch.set_num_threads(threads)


@lru_cache(maxsize=1)
def _limit_threads(process_id: int) -> None:
    import torch

    torch.set_num_threads(1)


def one_torch_thread_in_workers() -> None:
    """Let torch use one thread if this is a worker process, and `use_threads` chose no number for it.

    A forked worker inherits the state of OpenMP but none of its threads, and waits for them for ever; and workers
    that each start one thread per core slow each other down.
    """
    if not _chosen and multiprocessing.parent_process() is not None:
        _limit_threads(multiprocessing.current_process().pid or 0)
