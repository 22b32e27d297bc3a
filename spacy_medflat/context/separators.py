"""What ends the parts of a text: punctuation, the numbers of lists, brackets."""

import re
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from .stretches import Placed, Stretch, Stretches

ITEM, CLAUSE, SENTENCE = 1, 2, 3

# The number of an item, as lists of diagnoses have it, begins a sentence: 1. anywhere, (1) 1) 1、 一、 after a mark.
_NUMBER = (
    r"(?<![0-9a-z.(])\d{1,2}\.(?!\d)|(?:^|(?<=[\s。;:,、?!]))\(?(?:\d{1,2}|[一二三四五六七八九十]{1,3})[.)、](?!\d)"
)
_SEPARATOR = re.compile(
    rf"(?P<sentence>[。!?;\n]+|{_NUMBER})"
    r"|(?P<clause>,(?!\d)|(?<!\d),|:(?!\d)|(?<!\d):)"
    r"|(?P<item>、|[ ]+|(?<=[^\x00-\x7f])/(?=[^\x00-\x7f]))",
)
_LEVELS = {"item": ITEM, "clause": CLAUSE, "sentence": SENTENCE}
_BRACKET = re.compile(r"[()\[\]{}【】〔〕「」]")
_OPENING, _CLOSING = "([{【〔「", ")]}】〕」"


class Separator(NamedTuple):
    """What stands between parts.

    start, end (int): characters, `end` exclusive.
    level (int): `ITEM`, `CLAUSE` or `SENTENCE`.
    """

    start: int
    end: int
    level: int


def find_separators(text: str, entities: Stretches, words: Iterable[Placed]) -> list[Separator]:
    """The separators of a text by start. Those inside of an entity are none.

    text (str): folded, see `table.fold`.
    words (iterable of Placed): words between items, as 和.
    """
    found = [
        Separator(match.start(), match.end(), _LEVELS[str(match.lastgroup)]) for match in _SEPARATOR.finditer(text)
    ]
    marks = [separator for separator in found if not entities.hold(separator)]
    return sorted([*marks, *(Separator(word.start, word.end, ITEM) for word in words)])


class Brackets:
    """The pairs of brackets that stand in one sentence."""

    # Of the brackets that open in front of a place, only so many are looked at.
    _DEPTH = 8

    def __init__(self, text: str, sentence_ends: Sequence[int]):
        """text (str): folded. sentence_ends (sequence of int): where its sentences end."""
        pairs = []
        waiting: list[int] = []
        sentence = 0
        for match in _BRACKET.finditer(text):
            place, char = match.start(), match.group()
            now = bisect_left(sentence_ends, place)
            if now != sentence:
                sentence, waiting = now, []
            if char in _OPENING:
                waiting.append(place)
            elif waiting and text[waiting[-1]] == _OPENING[_CLOSING.index(char)]:
                pairs.append(Stretch(waiting.pop(), place))
            else:
                waiting = []
        self._pairs = sorted(pairs)

    def around(self, start: int, end: int) -> Stretch | None:
        """The inside of the innermost brackets around a stretch; None if there are none."""
        index = bisect_left(self._pairs, (start,))
        for opening, closing in reversed(self._pairs[max(index - self._DEPTH, 0) : index]):
            if closing >= end:
                return Stretch(opening + 1, closing)
        return None
