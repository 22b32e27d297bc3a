"""Tag sequences (BIO, BMES, BIOES) to flat spans and back, and nested spans to flat ones."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from ..record import Entity

SCHEMES: dict[str, str] = {"bio": "BIIB", "bmes": "BMES", "bioes": "BIES"}
"""Scheme to its letters for the first, an inner, the last and the only token of a span."""

# BILOU calls the last token L and the only one U.
_ALIASES = {"L": "E", "U": "S"}


class Tag(NamedTuple):
    """A tag taken apart; `letter` is one of B I M E S, or O with an empty label."""

    letter: str
    label: str


class TagSpan(NamedTuple):
    """Tokens `start` to `end` (exclusive); `whole` is False if the scheme wants other letters at its ends."""

    start: int
    end: int
    label: str
    whole: bool


def parse_tag(tag: str) -> Tag:
    """Take apart `B-dis`, `B_dis` or `O`.

    RAISES (ValueError): Any other tag.
    """
    if tag == "O":
        return Tag("O", "")
    letter = _ALIASES.get(tag[:1], tag[:1])
    if letter not in ("B", "I", "M", "E", "S") or tag[1:2] not in ("-", "_"):
        raise ValueError(f"{tag!r} is no tag; expected O or one of B I M E S L U, a hyphen and a label")
    return Tag(letter, tag[2:])


def detect_scheme(letters: Iterable[str]) -> str:
    """The scheme that a file's tag letters belong to."""
    found = set(letters)
    if "M" in found:
        return "bmes"
    return "bioes" if found & {"E", "S"} else "bio"


def decode_tags(tags: Sequence[Tag], scheme: str) -> list[TagSpan]:
    """The spans of a sentence. Out-of-order tags become the nearest span, marked as not whole."""
    marks_end = scheme != "bio"
    spans: list[TagSpan] = []
    start, label, begun = -1, "", False
    for index, tag in enumerate([*tags, Tag("O", "")]):
        continues = start >= 0 and tag.letter in "IME" and tag.label == label
        if start >= 0 and not continues:
            spans.append(TagSpan(start, index, label, begun and not marks_end))
            start = -1
        if start < 0 and tag.letter != "O":
            start, label, begun = index, tag.label, tag.letter in "BS"
        if tag.letter in "ES":
            spans.append(TagSpan(start, index + 1, label, begun))
            start = -1
    return spans


def encode_tags(length: int, spans: Iterable[tuple[int, int, str]], scheme: str) -> list[str]:
    """One tag for each of `length` tokens. The spans must not overlap and must not be empty."""
    first, inner, last, only = tuple(SCHEMES[scheme])
    tags = ["O"] * length
    for start, end, label in spans:
        letters = only if end - start == 1 else first + inner * (end - start - 2) + last
        tags[start:end] = [f"{letter}-{label}" for letter in letters]
    return tags


def flat_choice(entities: Sequence[Entity], innermost: bool = False) -> tuple[list[Entity], list[Entity]]:
    """Entities that do not overlap, in order of the text, and the others.

    Of entities that overlap, the longest stays, or the shortest if `innermost`; of equally long ones the
    first of the list.
    """
    sign = 1 if innermost else -1
    kept: list[Entity] = []
    dropped: list[Entity] = []
    taken: set[int] = set()
    for entity in sorted(entities, key=lambda e: sign * (e.end - e.start)):
        covered = range(entity.start, entity.end)
        if taken.isdisjoint(covered):
            kept.append(entity)
            taken.update(covered)
        else:
            dropped.append(entity)
    return sorted(kept, key=lambda e: e.start), dropped
