"""What each cue of a text reaches: its scope."""

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from .attributes import VALUES
from .cues import END, Cue, CueMatch, CueMatcher
from .layout import Layout
from .stretches import Stretch, Stretches

# Of the entities before a cue, so many are looked at for one that it acts on.
_LOOK_BACK = 8
# What the reach of a value ends at, besides `end`: cues of the values that are named.
_CUT_BY = {
    **dict.fromkeys(VALUES["experiencer"], VALUES["experiencer"]),
    # Another person has a history of their own.
    **dict.fromkeys(VALUES["temporality"], (*VALUES["temporality"], "family", "other")),
    **dict.fromkeys(("present", "absent", "possible"), VALUES["assertion"]),
    # What is planned under a condition is conditional.
    "conditional": tuple(value for value in VALUES["assertion"] if value != "planned"),
    # 如无发热 and 建议排除 keep what came first.
    "hypothetical": ("hypothetical",),
    "planned": ("planned", "hypothetical"),
}


class Root(NamedTuple):
    """An entity that lies in no other one. It decides for those inside it.

    start, end (int): characters, `end` exclusive.
    label (str): its label.
    """

    start: int
    end: int
    label: str


class Scope(NamedTuple):
    """What a cue reaches.

    start, end (int): characters, `end` exclusive.
    match (CueMatch): where the cue stands.
    row (Cue): what it says.
    after (bool): whether it acts on what follows it.
    """

    start: int
    end: int
    match: CueMatch
    row: Cue
    after: bool

    def covers(self, root: Root) -> bool:
        """Whether it reaches an entity; in part is enough."""
        place = root.start if self.after else root.end - 1
        return self.start <= place < self.end


class Scopes:
    """The scopes of a text. Those of one category and direction do not overlap, so few cover an entity.

    The method is that of ConText (Harkema et al., J Biomed Inform 2009), with reaches for Chinese punctuation.
    """

    def __init__(self, text: str, roots: Sequence[Root], matcher: CueMatcher):
        """Find the scopes.

        text (str): folded, see `table.fold`.
        roots (sequence of Root): its entities.
        matcher (CueMatcher): the cues.
        """
        entities = Stretches(roots)
        matches = list(matcher.find(text, entities))
        self._layout = Layout(text, entities, matches)
        self._by_end = sorted(roots, key=lambda root: root.end)
        self._ends = [root.end for root in self._by_end]
        self._cuts = _Cuts(matches)
        found = defaultdict(list)
        for match in matches:
            for row in match.rows:
                scope = self._scope(match, row) if row.attribute else None
                if scope and scope.start < scope.end:
                    found[row.category, scope.after].append(scope)
        self._found = {
            key: (scopes, [scope.match.end if key[1] else scope.match.start for scope in scopes])
            for key, scopes in found.items()
        }

    def covering(self, root: Root, category: str, after: bool) -> Scope | None:
        """The scope of a category on this side of its cue that reaches an entity; None if there is none."""
        scopes, places = self._found.get((category, after), ((), ()))
        # The nearest cue before the entity, or behind it: others are cut off by it.
        index = bisect_right(places, root.start) - 1 if after else bisect_left(places, root.end)
        if not 0 <= index < len(scopes):
            return None
        return scopes[index] if scopes[index].covers(root) else None

    def _scope(self, match: CueMatch, row: Cue) -> Scope | None:
        after = row.direction == "after"
        if _looks_both_ways(match, row) and after == self._nothing_follows(match):
            return None
        start, end = self._right(match, row) if after else self._left(match, row)
        return Scope(start, end, match, row, after)

    def _nothing_follows(self, match: CueMatch) -> bool:
        start = self._layout.skip(match.end)
        end = self._layout.end_of("clause", start)
        if around := self._layout.brackets.around(match.start, match.end):
            end = min(end, around.end)
        return self._layout.is_empty(min(start, end), end)

    def _right(self, match: CueMatch, row: Cue) -> tuple[int, int]:
        start = self._layout.skip(match.end)
        end = self._layout.end_of("clause" if row.reach == "nearest" else row.reach, start)
        if around := self._layout.brackets.around(match.start, match.end):
            end = min(end, around.end)
        return match.end, self._cuts.right(row.category, match.start, start, end)

    def _left(self, match: CueMatch, row: Cue) -> tuple[int, int]:
        end = match.start
        around = self._layout.brackets.around(match.start, match.end)
        if around and self._layout.is_empty(around.start, end):
            # 肺癌（可能）speaks of what stands before the bracket.
            end, around = around.start - 1, None
        if row.reach in ("item", "nearest"):
            return self._nearest(row, end, around)
        start = self._layout.start_of(row.reach, end)
        if around:
            start = max(start, around.start)
        return self._cuts.left(row.category, start, match.start), end

    def _nearest(self, row: Cue, end: int, around: Stretch | None) -> tuple[int, int]:
        """The nearest entity before a place that the cue acts on, or the clause that it stands in."""
        limit = self._layout.start_of("item" if row.reach == "item" else "sentence", end)
        if around:
            limit = max(limit, around.start)
        index = bisect_right(self._ends, end)
        if row.reach == "nearest" and not self._layout.is_led(start := self._layout.start_of("clause", end), end):
            # What it speaks of stands in its own clause, also if no entity was found there.
            limit = max(limit, start)
        for root in reversed(self._by_end[max(index - _LOOK_BACK, 0) : index]):
            if root.start >= limit and row.allows(root.label):
                start = root.start if row.reach == "item" else self._layout.start_of("clause", root.start)
                return max(start, limit), root.end
        return end, end


class _Cuts:
    """Where cues end the reach of others."""

    def __init__(self, matches: Iterable[CueMatch]):
        self._after: dict[str, list[int]] = defaultdict(list)
        self._before: dict[str, list[int]] = defaultdict(list)
        for match in matches:
            for row in match.rows:
                for category in _cut_by(row):
                    if row.direction == "after":
                        self._after[category].append(match.start)
                    if row.direction == "before" or row.category.startswith(END):
                        self._before[category].append(match.end)

    def right(self, category: str, cue: int, start: int, end: int) -> int:
        """The end of a reach to the right, of a cue at a place. Of 否认有 the second does not end the first."""
        places = self._after.get(category, [])
        find = bisect_right if category in VALUES["assertion"] else bisect_left
        index = find(places, max(start, cue + 1))
        return min(end, places[index]) if index < len(places) else end

    def left(self, category: str, start: int, cue: int) -> int:
        """The start of a reach to the left, of a cue at a place."""
        places = self._before.get(category, [])
        index = bisect_right(places, cue) - 1
        return max(start, places[index]) if index >= 0 else start


def _looks_both_ways(match: CueMatch, row: Cue) -> bool:
    return len({other.direction for other in match.rows if other.category == row.category}) > 1


def _cut_by(row: Cue) -> tuple[str, ...]:
    """The categories whose reach this cue ends."""
    if row.category == END:
        return VALUES["assertion"]
    if row.category.startswith(END):
        return (row.category.removeprefix(f"{END}:"),)
    return tuple(category for category, cutting in _CUT_BY.items() if row.category in cutting)
