"""Separate scores for kinds of spans: by type, nesting, length, and whether training had the mention."""

from bisect import bisect_left
from collections.abc import Callable, Collection, Sequence

import numpy as np

from ..corpus.nesting import find_overlaps
from ..corpus.record import Entity
from .scores import Counts

# The last length of each class but the last, in characters.
LENGTHS = (2, 4, 8, 16, 32)
# From the spans of a text to the class of each.
Classes = Callable[[str, Collection[Entity]], dict[Entity, str]]


def split_counts(
    texts: Sequence[str],
    gold: Sequence[Collection[Entity]],
    found: Sequence[Collection[Entity]],
    classes: Classes,
) -> dict[str, Counts]:
    """Count the spans of each class.

    A found span has its class among the found spans of its text, a gold span among the gold spans.

    texts (sequence of str): the texts.
    gold, found (sequence of collections of Entity): the spans of each text.
    classes (callable): gives each span of a text its class.
    RETURNS (dict of int64 [4]): for each class, found spans that are right, found spans, gold spans that were found,
        gold spans. The first and the third may differ where a class depends on other spans.
    """
    counts: dict[str, Counts] = {}
    for text, wanted, got in zip(texts, gold, found, strict=True):
        wanted, got = set(wanted), set(got)
        for column, mine, others in ((0, got, wanted), (2, wanted, got)):
            for entity, name in classes(text, mine).items():
                row = counts.setdefault(name, np.zeros(4, dtype=np.int64))
                row[column] += entity in others
                row[column + 1] += 1
    return dict(sorted(counts.items()))


def by_type(text: str, spans: Collection[Entity]) -> dict[Entity, str]:
    """The label."""
    return {span: span.label for span in spans}


def by_nesting(text: str, spans: Collection[Entity]) -> dict[Entity, str]:
    """The depth of nesting.

    `1, alone` is neither in another span nor around one; `1, outermost` is around one and in none; `2` and more is the
    last of a chain of so many spans, each strictly inside the one before. Two labels on one span do not contain each
    other.
    """
    ordered = sorted(spans, key=lambda e: (e.start, -e.end, e.label))
    overlaps = find_overlaps(ordered)
    outer = {pair[0] for pair in overlaps.nested}
    names = {}
    for span, depth in zip(ordered, overlaps.depths, strict=True):
        names[span] = str(depth) if depth > 1 else "1, outermost" if span in outer else "1, alone"
    return names


def by_length(text: str, spans: Collection[Entity]) -> dict[Entity, str]:
    """The length in characters, in classes: up to 2, 4, 8, 16, 32, and more."""
    return {span: _length_class(span.end - span.start) for span in spans}


def _length_class(length: int) -> str:
    place = bisect_left(LENGTHS, length)
    first = LENGTHS[place - 1] + 1 if place else 1
    return f"{first:>2}–{LENGTHS[place]}" if place < len(LENGTHS) else f"{first:>2}+"


def by_seen(mentions: Collection[tuple[str, str]]) -> Classes:
    """`seen` if an entity of the training texts has the same characters and the same label, else `unseen`.

    mentions (collection of (str, str)): characters and label of the entities of the training texts.
    RETURNS (callable): the classes.
    """

    def classes(text: str, spans: Collection[Entity]) -> dict[Entity, str]:
        return {span: "seen" if (text[span.start : span.end], span.label) in mentions else "unseen" for span in spans}

    return classes
