"""On what the runs of a report were trained, in words."""

from __future__ import annotations

from typing import Any

from .results import Results


def environments(results: Results) -> list[str]:
    """A line for each environment among the runs: packages, processor, threads."""
    found = (_words(run.environment) for row in results.done for run in row.runs)
    return sorted(set(found))


def _words(environment: dict[str, Any]) -> str:
    packages = ", ".join(f"{name} {version}" for name, version in environment["packages"].items() if version)
    flags = f" with {', '.join(environment['cpu_flags'])}" if environment["cpu_flags"] else ""
    device = f"GPU {environment['gpu']}, " if environment["gpu"] else ""
    return (
        f"{device}{environment['threads']} threads on {environment['cores']} cores{flags}, {environment['system']}; "
        f"Python {environment['python']}, {packages}"
    )
