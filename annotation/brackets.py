"""The bracket form, `{sym:{bod:双肺}湿啰音}`: quick to write, and offsets cannot go wrong."""

import re
from collections.abc import Iterator

from spacy_medflat.context.attributes import ATTRIBUTE_OF
from spacy_medflat.corpus.record import Entity
from spacy_medflat.errors import CorpusError, clipped

TYPES = ("bod", "dep", "dis", "dru", "equ", "ite", "mic", "pro", "sym")
MEANINGS = ("absent", "conditional", "family", "historical", "planned", "possible")
_HEAD = re.compile(r"\{([^{}:@]*)(?:@([^{}:]*))?:")


def parse_brackets(text: str) -> tuple[str, list[Entity]]:
    """Take the brackets out of a text.

    `{type:…}` marks an entity, inside another one too; `{type@absent+family:…}` says how it is meant, which becomes
    the fields `assertion`, `experiencer` and `temporality`.

    RETURNS (str, list of Entity): the bare text; the entities by start, the outer one first.
    RAISES (CorpusError): brackets without partner, an unknown type or meaning, an entity without text.
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
    label, meant = head.groups()
    if label not in TYPES:
        raise CorpusError(f"column {number + 1}: {clipped(label)} is no type; use one of {', '.join(TYPES)}")
    fields: dict[str, str] = {}
    for value in sorted(set(meant.split("+"))) if meant is not None else ():
        if value not in MEANINGS:
            known = ", ".join(MEANINGS)
            raise CorpusError(f"column {number + 1}: {clipped(value)} is no meaning; use {known}, joined by +")
        if (attribute := ATTRIBUTE_OF[value]) in fields:
            raise CorpusError(f"column {number + 1}: {fields[attribute]} and {value} exclude each other; choose one")
        fields[attribute] = value
    return label, fields


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
        meant = "+".join(sorted(value for field, value in entity.meta.items() if ATTRIBUTE_OF.get(value) == field))
        pieces += [text[at : entity.start], f"{{{entity.label}{'@' + meant if meant else ''}:"]
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
