"""The layout of a text: where its sentences, clauses and items end, and which clauses go on with a list."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from .cues import AND, FILLER, PSEUDO, CueMatch
from .separators import CLAUSE, ITEM, SENTENCE, Brackets, Separator, find_separators
from .stretches import Placed, Stretch, Stretches

_LEVELS = {"item": ITEM, "clause": CLAUSE, "sentence": SENTENCE}
# What may stand between a cue and what it speaks of.
_LOOSE = frozenset(" :“”\"'")


class Layout:
    """Where the parts of a text begin and end.

    brackets (Brackets): its brackets.
    """

    def __init__(self, text: str, entities: Stretches, matches: Sequence[CueMatch]):
        """Find the parts.

        text (str): folded, see `table.fold`.
        entities (Stretches): its entities.
        matches (sequence of CueMatch): its cues.
        """
        self.text = text
        separators = find_separators(text, entities, [match for match in matches if match.is_a(AND)])
        self._starts = {level: [s.start for s in separators if s.level >= level] for level in _LEVELS.values()}
        self._ends = {level: [s.end for s in separators if s.level >= level] for level in _LEVELS.values()}
        self.brackets = Brackets(text, self._starts[SENTENCE])
        joining = [match for match in matches if match.is_a(FILLER) or match.is_a(AND)]
        others = [match for match in matches if not match.is_a(FILLER) and not match.is_a(PSEUDO)]
        self._listed = _Cover(len(text), [*separators, *joining, *entities.all])
        self._listed_or_cue = _Cover(len(text), [*separators, *joining, *entities.all, *others])
        self._begun = _Cover(len(text), [Stretch(start, start + 1) for start, _ in entities.all])
        self._chain([separator for separator in separators if separator.level >= CLAUSE])

    def _chain(self, separators: Sequence[Separator]) -> None:
        """Find how far a list goes on from each clause, to the right and to the left."""
        starts = [0, *(separator.end for separator in separators)]
        ends = [*(separator.start for separator in separators), len(self.text)]
        goes_on = [self.text[end : end + 1] == "," for end in ends]
        self._list_end, self._list_start = list(ends), list(starts)
        for i in range(len(separators) - 1, -1, -1):
            # Of 否认耳鸣，鼻窦炎？ the last is no item of the list, as another cue speaks of it.
            asked = self.text[ends[i + 1] : ends[i + 1] + 1] == "?"
            if goes_on[i] and not asked and self.is_bare(starts[i + 1], ends[i + 1]):
                self._list_end[i] = self._list_end[i + 1]
        for i in range(1, len(starts)):
            before = (starts[i - 1], ends[i - 1])
            # A list begins with another cue: 否认高血压，冠心病史.
            if not goes_on[i - 1] or not self._begun.some(*before) or not self.is_led(*before):
                continue
            if not self._listed.all(*before):
                self._list_start[i] = starts[i - 1]
            elif self._list_start[i - 1] < starts[i - 1]:
                self._list_start[i] = self._list_start[i - 1]
        self._clause_starts, self._clause_ends = starts, ends

    def is_bare(self, start: int, end: int) -> bool:
        """Whether nothing stands there but entities, at least one, and what joins them."""
        return self._begun.some(start, end) and self._listed.all(start, end)

    def is_empty(self, start: int, end: int) -> bool:
        """Whether nothing stands there but what joins entities."""
        return not self._begun.some(start, end) and self._listed.all(start, end)

    def is_led(self, start: int, end: int) -> bool:
        """Whether nothing stands there but cues, entities and what joins them."""
        return self._listed_or_cue.all(start, end)

    def skip(self, place: int) -> int:
        """The place behind blanks, colons and quotes."""
        while place < len(self.text) and self.text[place] in _LOOSE:
            place += 1
        return place

    def end_of(self, reach: str, place: int) -> int:
        """Where the item, clause, list, run of entities or sentence ends that goes on at a place."""
        if reach == "list":
            return self._list_end[bisect_left(self._clause_ends, place)]
        if reach == "touching":
            end = self.end_of("clause", place)
            return bisect_left(range(end), True, place, end, key=lambda at: not self._listed.all(place, at + 1))
        starts = self._starts[_LEVELS[reach]]
        index = bisect_left(starts, place)
        return starts[index] if index < len(starts) else len(self.text)

    def start_of(self, reach: str, place: int) -> int:
        """Where the item, clause, list, run of entities or sentence begins that goes on to a place."""
        if reach == "list":
            index = bisect_right(self._clause_starts, place) - 1
            start = self._clause_starts[index]
            return self._list_start[index] if self.is_bare(start, place) else start
        if reach == "touching":
            start = self.start_of("clause", place)
            return bisect_left(range(place), True, start, place, key=lambda at: self._listed.all(at, place))
        ends = self._ends[_LEVELS[reach]]
        index = bisect_right(ends, place) - 1
        return ends[index] if index >= 0 else 0


class _Cover:
    """Which characters of a text some stretches cover."""

    def __init__(self, length: int, stretches: Iterable[Placed]):
        covered = bytearray(length)
        for stretch in stretches:
            covered[stretch.start : stretch.end] = b"\x01" * (stretch.end - stretch.start)
        sums: NDArray[np.int64] = np.cumsum(np.frombuffer(covered, dtype=np.uint8), dtype=np.int64)
        self._sums = [0, *sums.tolist()]

    def some(self, start: int, end: int) -> bool:
        """Whether they cover one of these characters."""
        return start < end and self._sums[end] > self._sums[start]

    def all(self, start: int, end: int) -> bool:
        """Whether they cover all of these characters."""
        return start >= end or self._sums[end] - self._sums[start] == end - start
