"""Stretches of a text, and how others lie to them."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from itertools import accumulate
from typing import NamedTuple, Protocol


class Stretch(NamedTuple):
    """Characters `start:end`, end exclusive."""

    start: int
    end: int


class Placed(Protocol):
    """What stands at characters `start:end`, end exclusive."""

    @property
    def start(self) -> int:
        """Its first character."""

    @property
    def end(self) -> int:
        """The character behind it."""


class Stretches:
    """Some stretches of a text, by start."""

    def __init__(self, stretches: Iterable[Placed]):
        """stretches (iterable of Placed): in any order; the same one counts once."""
        self.all = sorted({Stretch(found.start, found.end) for found in stretches})
        self._starts = [start for start, _ in self.all]
        self._furthest = list(accumulate((end for _, end in self.all), max))
        self._by_end = sorted((end, start) for start, end in self.all)

    def hold(self, stretch: Placed) -> bool:
        """Whether one of them begins at or before a stretch, and ends at or behind it."""
        index = bisect_right(self._starts, stretch.start) - 1
        return index >= 0 and self._furthest[index] >= stretch.end

    def begin_at(self, place: int) -> bool:
        """Whether one of them begins at a place."""
        index = bisect_left(self._starts, place)
        return index < len(self._starts) and self._starts[index] == place

    def end_at(self, place: int) -> bool:
        """Whether one of them ends at a place."""
        index = bisect_left(self._by_end, (place,))
        return index < len(self._by_end) and self._by_end[index][0] == place

    def cross(self, stretch: Placed) -> bool:
        """Whether one of them shares characters with a stretch, and neither holds the other."""
        start, end = stretch.start, stretch.end
        for index in range(bisect_right(self._starts, start), bisect_left(self._starts, end)):
            if self.all[index].end > end:
                return True
        first = bisect_right(self._by_end, (start + 1,))
        return any(begin < start for _, begin in self._by_end[first : bisect_left(self._by_end, (end,))])
