"""Percentiles of a length histogram."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def percentile(histogram: Mapping[int, int], percent: int) -> int:
    """The smallest length that at least `percent` % of the items do not exceed; 0 without items."""
    rank = -(-sum(histogram.values()) * percent // 100)
    length = 0
    for length in sorted(histogram):
        rank -= histogram[length]
        if rank <= 0:
            break
    return length


def summarize(histogram: Mapping[int, int]) -> dict[str, Any]:
    """Median, 90th and 99th percentile, maximum, and the histogram itself in order of length."""
    return {
        "median": percentile(histogram, 50),
        "p90": percentile(histogram, 90),
        "p99": percentile(histogram, 99),
        "max": max(histogram, default=0),
        "histogram": {str(length): histogram[length] for length in sorted(histogram)},
    }
