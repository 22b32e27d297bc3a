"""SequenceTag sequences (BIO, BMES, BIOES) to flat spans and back, and nested spans to flat ones."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from ..record import Entity

SCHEMES: dict[str, str] = {"bio": "BIIB", "bmes": "BMES", "bioes": "BIES"}
"""Letters of each scheme for the first, an inner, the last and the only token of a span."""

# BILOU calls the last token L and the only one U.
_ALIASES = {"L": "E", "U": "S"}


class SequenceTag(NamedTuple):
    """The parts of a tag.

    letter (str): one of B I M E S, or O.
    label (str): the type, empty with O.
    """

    letter: str
    label: str


class TagSpan(NamedTuple):
    """An entity of a sentence.

    start, end (int): tokens, `end` exclusive.
    label (str): the type.
    whole (bool): whether the letters at both ends are those of the scheme.
    """

    start: int
    end: int
    label: str
    whole: bool


def parse_tag(tag: str) -> SequenceTag:
    """Take apart `B-dis`, `B_dis` or `O`.

    RETURNS (SequenceTag): its parts, with the letters of BIOES for those of BILOU.
    RAISES (ValueError): any other tag.
    """
    if tag == "O":
        return SequenceTag("O", "")
    letter = _ALIASES.get(tag[:1], tag[:1])
    if letter not in ("B", "I", "M", "E", "S") or tag[1:2] not in ("-", "_"):
        raise ValueError(f"{tag!r} is no tag; expected O or one of B I M E S L U, a hyphen and a label")
    return SequenceTag(letter, tag[2:])


def detect_scheme(letters: Iterable[str]) -> str:
    """Tell the scheme from all the letters of a file."""
    found = set(letters)
    if "M" in found:
        return "bmes"
    return "bioes" if found & {"E", "S"} else "bio"


def decode_tags(tags: Sequence[SequenceTag], scheme: str) -> list[TagSpan]:
    """Find the spans of a sentence. Tags out of order become the nearest span, marked as not whole."""
    marks_end = scheme != "bio"
    spans: list[TagSpan] = []
    start, label, begun = -1, "", False
    for index, tag in enumerate([*tags, SequenceTag("O", "")]):
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
    """Tag the tokens of a sentence.

    length (int): number of tokens.
    spans (iterable of (int, int, str)): start, exclusive end and label; not empty, and without overlaps.
    scheme (str): a key of `SCHEMES`.
    RETURNS (list of str): one tag for each token.
    """
    first, inner, last, only = tuple(SCHEMES[scheme])
    tags = ["O"] * length
    for start, end, label in spans:
        letters = only if end - start == 1 else first + inner * (end - start - 2) + last
        tags[start:end] = [f"{letter}-{label}" for letter in letters]
    return tags


def flat_choice(entities: Sequence[Entity], innermost: bool = False) -> tuple[list[Entity], list[Entity]]:
    """Choose entities that do not overlap. Of equally long ones that overlap, the first of the list stays.

    innermost (bool): keep the shortest of entities that overlap, not the longest.
    RETURNS (list of Entity, list of Entity): those kept, in order of the text, and the others.
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
