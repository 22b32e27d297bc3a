"""Memory of this process, on Linux: its peak, and the peak since a moment."""

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
