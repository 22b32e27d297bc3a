"""What a measurement ran on: versions, cores, and what of the processor and the GPU matters for speed and rounding."""

import platform
from pathlib import Path
from typing import Any

from ..runtime import package_versions, usable_cpus

# Those that decide whether wide vectors and bfloat16 are fast.
CPU_FLAGS = ("avx2", "avx512f", "avx512_bf16", "amx_bf16")


def describe_environment(threads: int) -> dict[str, Any]:
    """Versions, machine, cores, processor flags and GPU. No name of a machine or a user.

    threads (int): of torch.
    """
    import torch

    return {
        "python": platform.python_version(),
        "packages": package_versions(),
        "system": f"{platform.system()} {platform.machine()}",
        "cores": usable_cpus(),
        "threads": threads,
        "cpu_flags": _cpu_flags(),
        "gpu": torch.cuda.get_device_name() if torch.cuda.is_available() else None,
    }


def environment_line(environment: dict[str, Any]) -> str:
    """What `describe_environment` gave, in one line."""
    packages = ", ".join(f"{name} {version}" for name, version in environment["packages"].items() if version)
    flags = f" with {', '.join(environment['cpu_flags'])}" if environment["cpu_flags"] else ""
    device = f"GPU {environment['gpu']}, " if environment["gpu"] else ""
    return (
        f"{device}{environment['threads']} threads on {environment['cores']} cores{flags}, {environment['system']}; "
        f"Python {environment['python']}, {packages}"
    )


def _cpu_flags() -> list[str]:
    """Of `CPU_FLAGS`, those that Linux names; none where it is not Linux."""
    info = Path("/proc/cpuinfo")
    if not info.exists():
        return []
    lines = info.read_text(encoding="utf-8", errors="replace").splitlines()
    found = next((line.split(":", 1)[1].split() for line in lines if line.startswith(("flags", "Features"))), [])
    return [flag for flag in CPU_FLAGS if flag in found]
