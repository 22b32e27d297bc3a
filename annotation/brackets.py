"""The bracket form, `{sym:{bod:双肺}湿啰音}`: quick to write, and offsets cannot go wrong."""

import re
from collections.abc import Iterator

from spacy_medflat.corpus.record import Entity
from spacy_medflat.errors import CorpusError, clipped

TYPES = ("bod", "dep", "dis", "dru", "equ", "ite", "mic", "pro", "sym")
ASSERTIONS = ("absent", "conditional", "family", "historical", "planned", "possible")
_HEAD = re.compile(r"\{([^{}:@]*)(?:@([^{}:]*))?:")


def parse_brackets(text: str) -> tuple[str, list[Entity]]:
    """Take the brackets out of a text.

    `{type:…}` marks an entity, inside another one too; `{type@absent+family:…}` says how it is asserted, which becomes
    the field `assertion`.

    RETURNS (str, list of Entity): the bare text; the entities by start, the outer one first.
    RAISES (CorpusError): brackets without partner, an unknown type or assertion, an entity without text.
    """
    bare: list[str] = []
    open_: list[tuple[int, int, str, dict[str, str], int]] = []
    found: list[tuple[int, Entity]] = []
    at = 0
    for number in range(len(text)):
        if number < at:
            continue
        if text[number] == "{":
            head = _HEAD.match(text, number)
            if not head:
                raise CorpusError(_at(number, text, "an entity begins with {type: and a type is three letters"))
            label, meta = _head(head, number)
            open_.append((len(found), len(bare), label, meta, number))
            found.append((number, Entity(0, 0, label)))
            at = head.end()
        elif text[number] == "}":
            if not open_:
                raise CorpusError(_at(number, text, "} without {"))
            place, start, label, meta, opened = open_.pop()
            if start == len(bare):
                raise CorpusError(_at(opened, text, "an entity without text"))
            found[place] = (opened, Entity(start, len(bare), label, meta=meta))
        else:
            bare.append(text[number])
    if open_:
        raise CorpusError(_at(open_[-1][-1], text, "{ without }"))
    return "".join(bare), [entity for _, entity in found]


def _head(head: re.Match[str], number: int) -> tuple[str, dict[str, str]]:
    label, assertion = head.groups()
    if label not in TYPES:
        raise CorpusError(f"column {number + 1}: {clipped(label)} is no type; use one of {', '.join(TYPES)}")
    if assertion is None:
        return label, {}
    values = assertion.split("+")
    if unknown := [value for value in values if value not in ASSERTIONS]:
        raise CorpusError(
            f"column {number + 1}: {clipped(unknown[0])} is no assertion; use {', '.join(ASSERTIONS)}, joined by +"
        )
    return label, {"assertion": "+".join(sorted(set(values)))}


def _at(number: int, text: str, message: str) -> str:
    return f"column {number + 1}, at {clipped(text[number : number + 12])}: {message}"


def format_brackets(text: str, entities: list[Entity]) -> str:
    """Put entities into a text, the inverse of `parse_brackets`.

    RAISES (CorpusError): the text has braces, or entities cross, which the form cannot hold.
    """
    if "{" in text or "}" in text:
        raise CorpusError(f"{clipped(text)} has braces; write them in full width, ｛｝")
    pieces: list[str] = []
    ends: list[int] = []
    at = 0
    for entity in sorted(entities, key=lambda e: (e.start, -e.end)):
        for position, piece in _closed(ends, entity.start):
            pieces += [text[at:position], piece]
            at = position
        if ends and entity.end > ends[-1]:
            raise CorpusError(f"{clipped(text[entity.start : entity.end])} crosses another entity of {clipped(text)}")
        assertion = entity.meta.get("assertion")
        pieces += [text[at : entity.start], f"{{{entity.label}{'@' + assertion if assertion else ''}:"]
        at = entity.start
        ends.append(entity.end)
    for position, piece in _closed(ends, len(text)):
        pieces += [text[at:position], piece]
        at = position
    return "".join([*pieces, text[at:]])


def _closed(ends: list[int], start: int) -> Iterator[tuple[int, str]]:
    """Take the ends that lie at or before `start` from the stack."""
    while ends and ends[-1] <= start:
        yield ends.pop(), "}"
