"""A GPU under measurement: whether there is one, what it is, its time and memory; and how long a row may take."""

import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field
from time import monotonic, perf_counter
from typing import Any, NamedTuple

import torch

from bench.harness import environment
from bench.memory import forget_peak, peak
from spacy_medflat.errors import MedflatError
from spacy_medflat.runtime import use_device

PROFILED_PASSES = 5


def why_none() -> str | None:
    """Why there is no GPU to measure, None if there is one."""
    if not torch.cuda.is_available():
        return "torch finds no GPU"
    try:
        use_device(0)
    except MedflatError as error:
        return f"{error}; install spacy-medflat[cuda12x] or spacy-medflat[cuda13x], as torch.version.cuda says"
    return None


def describe(device: torch.device) -> dict[str, Any]:
    """The device and the versions of what drives it."""
    about: dict[str, Any] = {"environment": environment()}
    if device.type != "cuda":
        return {"device": "CPU", **about}
    import cupy

    found = torch.cuda.get_device_properties(device)
    return {
        "device": f"{found.name}, {found.total_memory / 2**30:.0f} GiB",
        "torch": torch.__version__,
        "cuda": torch.version.cuda,
        "cupy": cupy.__version__,
        "driver": _driver(),
        **about,
    }


def _driver() -> str:
    command = ["nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader"]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True, timeout=20).stdout.split()[0]
    except (OSError, subprocess.SubprocessError, IndexError):
        return "unknown"


@dataclass
class Budget:
    """The time for everything.

    seconds (float): from now on.
    """

    seconds: float
    begun: float = field(default_factory=monotonic)

    @property
    def spent(self) -> float:
        """Seconds since the start."""
        return monotonic() - self.begun

    def until(self, share: float) -> float:
        """When something that may take this share of the time, from now on, must stop: a time of `monotonic`."""
        return min(self.begun + self.seconds, monotonic() + share * self.seconds)


class Row(NamedTuple):
    """A row of the table.

    what, side (str): what was done, and in which way.
    speed (float or None): characters a second.
    seconds (float or None): of one pass, the median.
    memory (float or None): the peak in MiB; of a layer, above what was there before.
    share (float or None): of the time in which the GPU computed, 0 to 1.
    note (str): what else there is to say.
    """

    what: str
    side: str
    speed: float | None = None
    seconds: float | None = None
    memory: float | None = None
    share: float | None = None
    note: str = ""

    def cells(self) -> list[str]:
        """The row as texts; what is not known is a dash."""
        numbers = [(self.speed, "{:,.0f}"), (self.seconds, "{:.4f}"), (self.memory, "{:,.0f}"), (self.share, "{:.0%}")]
        return [self.what, self.side, *("–" if n is None else form.format(n) for n, form in numbers), self.note]

    def line(self) -> str:
        """The row as a line of text."""
        speed, seconds, memory, share, note = self.cells()[2:]
        return f"{self.what}, {self.side}: {speed} characters/s, {seconds} s, {memory} MiB, {share} GPU {note}".rstrip()


def wait(device: torch.device) -> None:
    """Let the device finish."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def timed(run: Callable[[], Any], device: torch.device) -> float:
    """The seconds of one pass, to its end on the device."""
    wait(device)
    begin = perf_counter()
    run()
    wait(device)
    return perf_counter() - begin


def begin_peak(device: torch.device) -> float:
    """Forget the peak of memory so far; returns what is in use now, in MiB."""
    if device.type != "cuda":
        return forget_peak()
    wait(device)
    torch.cuda.reset_peak_memory_stats(device)
    return torch.cuda.memory_allocated(device) / 2**20


def read_peak(device: torch.device) -> float:
    """The peak since `begin_peak`, in MiB, with what CuPy holds for itself."""
    if device.type != "cuda":
        return peak()
    import cupy

    # Beside torch's layers thinc lets CuPy take its memory from torch; only without them CuPy has a pool of its own.
    return (torch.cuda.max_memory_allocated(device) + cupy.get_default_memory_pool().total_bytes()) / 2**20


def gpu_share(run: Callable[[], Any], device: torch.device) -> float | None:
    """The share of the time of some passes in which the GPU computed, 0 to 1; None on a CPU."""
    if device.type != "cuda":
        return None
    from torch.profiler import ProfilerActivity, profile

    wait(device)
    with profile(activities=[ProfilerActivity.CUDA]) as profiler:
        seconds = timed(lambda: [run() for _ in range(PROFILED_PASSES)], device)
    spans = sorted(
        (event.time_range.start, event.time_range.end)
        for event in profiler.events()
        if event.device_type == torch.autograd.DeviceType.CUDA
    )
    return covered(spans) / 1e6 / seconds


def covered(spans: list[tuple[float, float]]) -> float:
    """How much of a line spans cover together.

    spans (list of (float, float)): start and end of each, in order of start.
    """
    total, reached = 0.0, float("-inf")
    for start, end in spans:
        total += max(0.0, end - max(start, reached))
        reached = max(reached, end)
    return total
