"""Care in the worker processes of `nlp.pipe(n_process=…)`."""

import multiprocessing
from functools import lru_cache


@lru_cache(maxsize=1)
def _limit_threads(process_id: int) -> None:
    import torch

    torch.set_num_threads(1)


def one_torch_thread_in_workers() -> None:
    """Let torch use one thread if this is a worker process; do nothing in a main process.

    A forked worker inherits the state of OpenMP but none of its threads, and waits for them for ever; and workers
    that each start one thread per core slow each other down.
    """
    if multiprocessing.parent_process() is not None:
        _limit_threads(multiprocessing.current_process().pid or 0)
