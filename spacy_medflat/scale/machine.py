"""What the machine has to give, and how many processes of a pipeline fit it."""

from __future__ import annotations

import os
from pathlib import Path

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

    input_bytes: Size of the input; None if it is not known.
    """
    limits = [cpus]
    if memory is not None:
        limits.append(memory // (_BASE_BYTES + _MODEL_FACTOR * model_bytes))
    if input_bytes is not None:
        limits.append(1 + input_bytes // _WORTH_A_PROCESS)
    return max(1, min(limits))
