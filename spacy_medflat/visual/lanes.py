"""Lanes under a text, so that spans that share characters, and their labels, do not cover each other."""

from collections.abc import Sequence
from typing import NamedTuple

# Spans beyond so many on the same characters are not drawn: no one could read them, and pages would grow without bound.
MAX_LANES = 12


class Mark(NamedTuple):
    """A labelled span of a text.

    start, end (int): offsets in characters, end exclusive.
    label (str): what is shown beneath it.
    score (float or None): 0 to 1, if it has one.
    error (str): what kind of error it is, shown with the label, in red; empty if it is none.
    said (str): what is said about it, as `absent`, shown with the label; empty if nothing special is.
    cues (str): what says so.
    value (str): its value or dose, as `92 g/L low`; empty if it has none.
    code (str): its code, shown with the label; empty if it has none.
    """

    start: int
    end: int
    label: str
    score: float | None = None
    error: str = ""
    said: str = ""
    cues: str = ""
    value: str = ""
    code: str = ""

    @property
    def caption(self) -> str:
        """What stands beneath the span: the label, cut where it is long, what is said of it, its code, its error."""
        label = self.label if len(self.label) <= 14 else f"{self.label[:13]}…"
        return " ".join(filter(None, (label, self.said, self.code, self.error)))


def assign_lanes(text: str, marks: Sequence[Mark]) -> list[int | None]:
    """Choose a lane for each mark: 0 is nearest to the text, and a mark lies below all that are inside it.

    The time is that of sorting, plus one step for each mark and lane.

    text (str): the text.
    marks (sequence of Mark): in any order.
    RETURNS (list of int or None): the lane of each mark; None where `MAX_LANES` are taken.
    """
    lanes: list[int | None] = [None] * len(marks)
    # Of each lane, where the last mark and its caption end, and where the mark itself ends.
    taken = [(0, 0)] * MAX_LANES
    # Marks that are linked by shared characters.
    island: list[int] = []
    for i in outer_first(marks):
        mark = marks[i]
        if island and all(until <= mark.start for until, _ in taken):
            _turn(lanes, island)
            island = []
        # Outer ones come first and get the lower numbers here, until the island is turned over.
        around = [lane for lane, (_, end) in enumerate(taken) if end > mark.start and end >= mark.end]
        for lane in range(max(around, default=-1) + 1, MAX_LANES):
            if taken[lane][0] <= mark.start:
                lanes[i] = lane
                taken[lane] = (max(mark.end, mark.start + _caption_length(text, mark)), mark.end)
                island.append(i)
                break
    _turn(lanes, island)
    return lanes


def outer_first(marks: Sequence[Mark]) -> list[int]:
    """The indices of marks by start, longer ones before shorter ones."""
    return sorted(range(len(marks)), key=lambda i: (marks[i].start, -marks[i].end, marks[i].label))


def _turn(lanes: list[int | None], island: list[int]) -> None:
    last = max((lanes[i] or 0 for i in island), default=0)
    for i in island:
        lanes[i] = last - (lanes[i] or 0)


def _caption_length(text: str, mark: Mark) -> int:
    """How many characters of the text the caption is as wide as: 17 pixels each, 8 if Latin; captions 11 and 7."""
    width = sum(11 if ord(character) > 0x2E7F else 7 for character in mark.caption) + 3
    place = mark.start
    while width > 0 and place < len(text):
        width -= 17 if ord(text[place]) > 0x2E7F else 8
        place += 1
    return place - mark.start
