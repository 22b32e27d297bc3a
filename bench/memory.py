"""Memory on Linux: the peak of this process, the peak since a moment, and what other processes hold."""

import ctypes
import gc
from pathlib import Path

# Of tcmalloc and of glibc: each gives to the system what is freed but kept. The other's does nothing.
_RELEASES = ("MallocExtension_ReleaseFreeMemory", "malloc_trim")


def forget_peak() -> float:
    """Release what is free, forget the peak so far, and return what is in use now, in MiB."""
    gc.collect()
    process = ctypes.CDLL(None)
    for name in _RELEASES:
        release = getattr(process, name, None)
        if release is not None:
            release(0)
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    return _status("VmRSS")


def peak() -> float:
    """The most that was in use at once since the start, or since the peak was forgotten, in MiB."""
    return _status("VmHWM")


def _status(name: str) -> float:
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return int(next(line.split()[1] for line in lines if line.startswith(name))) / 1024


def descendants(pid: int) -> list[int]:
    """A process, and all that it and its children have started, the process itself first; those that have ended not."""
    found = [pid]
    for parent in found:
        for children in Path(f"/proc/{parent}/task").glob("*/children"):
            found += map(int, _read(children).split())
    return found


def shared_size(pid: int) -> float:
    """What a process holds, its share of pages that others hold too (PSS), in MiB; 0 if it has ended."""
    lines = _read(Path(f"/proc/{pid}/smaps_rollup")).splitlines()
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("Pss:")), 0.0)


def _read(path: Path) -> str:
    """What a process tells of itself; nothing if it has ended."""
    try:
        return path.read_text(encoding="utf-8")
    except OSError:
        return ""
