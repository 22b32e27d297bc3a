"""Cues: words that say whether an entity is there, whose it is, and when; what they reach; and their table."""

from collections.abc import Iterable, Iterator
from functools import cache
from typing import Any, NamedTuple

from ..errors import TableError, clipped
from ..tables import NO_VALUE, check_word, fold, format_table, merge_rows, shipped_table, table_rows
from .attributes import ATTRIBUTE_OF
from .stretches import Stretch, Stretches

COLUMNS = ("cue", "category", "direction", "reach", "labels")

DIRECTIONS = ("after", "before", "section")
REACHES = ("touching", "item", "clause", "list", "nearest", "sentence")

# Before a cue that counts at the beginning of a clause only, behind one that counts at the end, and what ends clauses.
_ANCHOR, _END_ANCHOR = "^", "$"
_BREAKS = frozenset(" ,.。;:!?\n)")

PSEUDO, FILLER, AND, END, NONE = "pseudo", "filler", "and", "end", "none"
CATEGORIES = (*ATTRIBUTE_OF, PSEUDO, FILLER, AND, END, *(f"{END}:{value}" for value in ATTRIBUTE_OF), NONE)


class Cue(NamedTuple):
    """A row of the table.

    cue (str): the text; with `^` before it, only where a clause begins, with `$` behind it, only where one ends; of the
        direction `section`, the label of a section.
    category (str): a value of an attribute; or `pseudo`, what is no cue though a cue is in it; `end`, what ends every
        reach of an assertion; `end:VALUE`, what ends the reach of one value; `and`, what stands between the items of a
        list; `filler`, what may stand in a list beside its entities; `none`, in a table that is added, takes the cue
        out of the first one.
    direction (str): where the entities stand: `after` the cue, or `before` it; in a `section` with this label, where no
        other cue decides. A cue with rows for both looks before it only where nothing follows in its clause.
    reach (str): how far: `touching`, the entity that it touches, and those listed with it in its clause, and where it
        touches none it is no cue; `item`, the nearest entity of an item of a list; `clause`, to a comma; `list`, also
        over commas where nothing but entities stands between them; `nearest`, of what is before, the clause with the
        nearest entity, looked for beyond its own clause if nothing but cues and fillers stands there; `sentence`.
    labels (str): the labels of the entities that it acts on, commas between them; with `!` before them, all others; `-`
        for all.
    """

    cue: str
    category: str
    direction: str = "after"
    reach: str = "clause"
    labels: str = NO_VALUE

    @property
    def attribute(self) -> str | None:
        """The attribute that it decides, if it is no help to other cues."""
        return ATTRIBUTE_OF.get(self.category)

    @property
    def key(self) -> tuple[str, str, str]:
        """What makes two rows the same cue."""
        return self.cue if self.direction == "section" else fold(self.cue), self.category, self.direction

    def allows(self, label: str) -> bool:
        """Whether it acts on entities with this label."""
        if self.labels == NO_VALUE:
            return True
        names = self.labels.removeprefix("!").split(",")
        return (label in names) != self.labels.startswith("!")


def parse_cues(text: str, name: str) -> list[Cue]:
    """Read a table of cues from the text of a file: columns `cue`, `category`, `direction`, `reach`, `labels`.

    name (str): what messages call it.
    RETURNS (list of Cue): the rows in their order.
    RAISES (TableError): an unknown value in a column, or the same cue twice; the message names the line.
    """
    found: dict[tuple[str, str, str], tuple[str, Cue]] = {}
    for place, (cue, category, direction, reach, labels) in table_rows(text, name, COLUMNS):
        row = Cue(
            check_word(cue if cue.removeprefix(_ANCHOR).removesuffix(_END_ANCHOR) else "", place, "cue"),
            _known(category, CATEGORIES, "category", place),
            "after" if direction == NO_VALUE else _known(direction, DIRECTIONS, "direction", place),
            "clause" if reach == NO_VALUE else _known(reach, REACHES, "reach", place),
            ",".join(part.strip() for part in labels.split(",")),
        )
        if row.direction == "section" and row.attribute is None:
            raise TableError(f"{place}: a section can give {', '.join(ATTRIBUTE_OF)}, not {clipped(category)}")
        if row.key in found:
            raise TableError(f"{place}: {clipped(cue)} is {category} {row.direction} already in {found[row.key][0]}")
        found[row.key] = (place.removeprefix(f"{name} "), row)
    return [row for _, row in found.values()]


def _known(value: str, known: Iterable[str], column: str, place: str) -> str:
    if value not in known:
        raise TableError(f"{place}: unknown {column} {clipped(value)}; known are {', '.join(known)}")
    return value


def merge_cues(first: Iterable[Cue], added: Iterable[Cue]) -> list[Cue]:
    """Add cues to others. One of the same text, category and direction replaces the first; `none` takes a text out."""
    return merge_rows(first, added, lambda row: row.category == NONE)


def format_cues(rows: Iterable[Cue]) -> str:
    """The text of a table of cues."""
    return format_table(rows, COLUMNS)


@cache
def shipped_cues() -> tuple[Cue, ...]:
    """The cues of the package, `data/cues.tsv`."""
    return tuple(parse_cues(shipped_table(__package__, "cues.tsv"), "cues.tsv"))


class CueMatch(NamedTuple):
    """A cue in a text.

    start, end (int): characters, `end` exclusive.
    rows (tuple of Cue): what it may stand for.
    """

    start: int
    end: int
    rows: tuple[Cue, ...]

    def is_a(self, category: str) -> bool:
        """Whether it may stand for this."""
        return any(row.category == category for row in self.rows)


class CueMatcher:
    """Finds cues: from left to right, the longest one at each place, so that a longer one hides those in it.

    sections (dict of list of Cue): the rows of sections, by their labels.
    """

    def __init__(self, rows: Iterable[Cue]):
        """Make the automaton of a table."""
        from ahocorasick_rs import AhoCorasick

        by_text: dict[str, list[Cue]] = {}
        self.sections: dict[str, list[Cue]] = {}
        for row in rows:
            if row.direction == "section":
                self.sections.setdefault(row.cue, []).append(row)
            else:
                by_text.setdefault(fold(row.cue), []).append(row)
        self._rows = [tuple(found) for found in by_text.values()]
        self._anchors = [(text.startswith(_ANCHOR), text.endswith(_END_ANCHOR)) for text in by_text]
        texts = [text.removeprefix(_ANCHOR).removesuffix(_END_ANCHOR) for text in by_text]
        self._automaton: Any = AhoCorasick(texts, store_patterns=False)

    def find(self, folded: str, entities: Stretches) -> Iterator[CueMatch]:
        """The cues of a text in their order.

        What lies inside of an entity, as 无 in 无痛性肿块, is part of its name. What crosses the border of one is no
        cue: 无水 is none in 无[水疱].

        folded (str): the text, see `table.fold`.
        entities (Stretches): its entities.
        """
        matches = self._automaton.find_matches_as_indexes(folded, overlapping=True)
        reached = 0
        for start, end, pattern in sorted(((s, e, p) for p, s, e in matches), key=lambda found: (found[0], -found[1])):
            place = Stretch(start, end)
            if start < reached or entities.hold(place) or entities.cross(place):
                continue
            begins, ends = self._anchors[pattern]
            if (begins and _within(folded, start - 1)) or (ends and _within(folded, end)):
                continue
            if rows := tuple(row for row in self._rows[pattern] if _counts(row, place, entities)):
                reached = end
                yield CueMatch(start, end, rows)


def _within(folded: str, place: int) -> bool:
    """Whether the clause goes on at a place."""
    return 0 <= place < len(folded) and folded[place] not in _BREAKS


def _counts(row: Cue, place: Stretch, entities: Stretches) -> bool:
    """Whether a row that must touch an entity does so."""
    if row.reach != "touching":
        return True
    return entities.begin_at(place.end) if row.direction == "after" else entities.end_at(place.start)
