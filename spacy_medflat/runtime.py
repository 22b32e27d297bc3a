"""What the machine gives: the device, threads of worker processes, CPUs, memory, package versions."""

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .errors import MedflatError

if TYPE_CHECKING:
    import torch
    from numpy.typing import NDArray

_CPUINFO = Path("/proc/cpuinfo")
# Those whose versions can change a score or a weight.
PACKAGES = ("spacy", "spacy-medflat", "spacy-transformers", "thinc", "torch", "transformers", "numpy")


def package_versions() -> dict[str, str]:
    """The installed versions of `PACKAGES`."""
    return {name: version(name) for name in PACKAGES}


def use_device(gpu_id: int) -> None:
    """Let thinc and torch compute on a GPU, or on the CPU with -1.

    RAISES (MedflatError): there is no such GPU, or no CuPy to use it with.
    """
    if gpu_id < 0:
        return
    from spacy import require_gpu

    try:
        require_gpu(gpu_id)
    except ValueError as error:
        raise MedflatError(f"GPU {gpu_id} cannot be used: {error}") from error


def torch_device(gpu_id: int) -> "torch.device":
    """The device for torch alone: a GPU, or the CPU with -1.

    RAISES (MedflatError): there is no such GPU.
    """
    import torch

    if gpu_id < 0:
        return torch.device("cpu")
    if gpu_id >= torch.cuda.device_count():
        raise MedflatError(
            f"GPU {gpu_id} cannot be used: torch finds {torch.cuda.device_count()} of them; -1 is the CPU"
        )
    return torch.device("cuda", gpu_id)


def to_device(values: "NDArray | torch.Tensor", device: "torch.device") -> "torch.Tensor":
    """Values of the CPU on a device: on a CPU in their own memory, on a GPU without waiting for it.

    A copy from pinned memory takes its place among what the GPU has to do; one from other memory would wait for all
    that comes before.

    values (array or tensor): on the CPU.
    device (torch.device): where they are needed.
    """
    import torch

    tensor = values if isinstance(values, torch.Tensor) else torch.from_numpy(values)
    if device.type != "cuda":
        return tensor.to(device)
    return tensor.pin_memory().to(device, non_blocking=True)


def bfloat16_pays(device: "torch.device", cpuinfo: Path = _CPUINFO) -> bool:
    """Whether the device multiplies bfloat16 itself, and faster than float32.

    An Intel CPU that has `avx512_bf16` without `amx_bf16`, as in some virtual machines, is slower in it.
    """
    import torch

    if device.type == "cuda":
        return torch.cuda.get_device_capability(device) >= (8, 0)
    told = cpuinfo.read_text() if cpuinfo.exists() else ""
    return "amx_bf16" in told or ("avx512_bf16" in told and "AuthenticAMD" in told)


@contextmanager
def stop_asked() -> Iterator[Callable[[], bool]]:
    """Let a loop end in order when the process is asked to: by Ctrl-C, or by SIGTERM, as schedulers send it.

    The second time, and in other threads than the first, the signals act as they always do.

    YIELDS (callable): tells whether it was asked.
    """
    asked = threading.Event()
    before: dict[int, Any] = {}

    def ask(number: int, frame: Any) -> None:
        asked.set()
        signal.signal(number, before[number])

    if threading.current_thread() is threading.main_thread():
        before = {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield asked.is_set
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def end_with_parent() -> None:
    """End this process as soon as the one that started it has ended, however it did."""
    parent = multiprocessing.parent_process()

    def wait() -> None:
        if parent is not None:
            parent.join()
            os._exit(1)

    threading.Thread(target=wait, daemon=True).start()


_chosen = False


def use_threads(threads: int) -> None:
    """Let torch use so many threads in this process, a worker or not. For one that was spawned, not forked."""
    import torch

    global _chosen
    _chosen = True
    torch.set_num_threads(threads)


@contextmanager
def torch_threads(threads: int) -> Iterator[None]:
    """Let torch use so many threads for a while: steps on small arrays are slower with many."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@lru_cache(maxsize=1)
def _limit_threads(process_id: int) -> None:
    import torch

    torch.set_num_threads(1)


def one_torch_thread_in_workers() -> None:
    """Let torch use one thread if this is a worker process, and `use_threads` chose no number for it.

    A forked worker inherits the state of OpenMP but none of its threads, and waits for them forever; and workers
    that each start one thread per core slow each other down.
    """
    if not _chosen and multiprocessing.parent_process() is not None:
        _limit_threads(multiprocessing.current_process().pid or 0)


# torch, spaCy and a batch in work, whatever the pipeline.
_BASE_BYTES = 2**30
# Weights are held once as arrays and once more while they are loaded, beside the vocabulary.
_MODEL_FACTOR = 3
# Loading a pipeline takes longer than to annotate this much text in one process.
_WORTH_A_PROCESS = 2**20

_MEMINFO = Path("/proc/meminfo")
_CGROUP = Path("/sys/fs/cgroup")


def usable_cpus() -> int:
    """The CPUs that this process may use, at least 1."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def free_memory(meminfo: Path = _MEMINFO, cgroup: Path = _CGROUP) -> int | None:
    """Bytes that are free, or that the container may have if that is less; None if it cannot be told."""
    found = []
    if meminfo.exists():
        lines = (line.split() for line in meminfo.read_text().splitlines())
        found += [int(line[1]) * 1024 for line in lines if line and line[0] == "MemAvailable:"]
    limit = cgroup / "memory.max"
    if limit.exists() and (most := limit.read_text().strip()).isdigit():
        found.append(int(most))
    return min(found, default=None)


def processes_that_fit(model_bytes: int, input_bytes: int | None, cpus: int, memory: int | None) -> int:
    """How many processes annotate fastest without filling the memory, at least 1.

    model_bytes (int): size of the pipeline on the disk.
    input_bytes (int or None): size of the input; None if it is not known.
    cpus (int): that may be used.
    memory (int or None): free bytes; None if it is not known.
    """
    limits = [cpus]
    if memory is not None:
        limits.append(memory // (_BASE_BYTES + _MODEL_FACTOR * model_bytes))
    if input_bytes is not None:
        limits.append(1 + input_bytes // _WORTH_A_PROCESS)
    return max(1, min(limits))


_weights_version = 0


def weights_changed() -> None:
    """Say that weights of torch modules were changed in their memory, where torch itself cannot see it."""
    global _weights_version
    _weights_version += 1


def weights_version() -> int:
    """A number that differs after `weights_changed`. Results kept from before are then of other weights."""
    return _weights_version
