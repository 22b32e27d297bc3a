"""Entities marked in sentences, and what is said about them.

`否认{高血压|dis aH}` is an entity of the label `dis` whose assertion is absent and whose temporality is historical. The
letters: a absent, p possible, c conditional, h hypothetical, l planned; F family, O other; H historical, R resolved.
"""

from pathlib import Path
from typing import NamedTuple

from spacy.tokens import Doc

from spacy_medflat.context.attributes import VALUES, Context
from spacy_medflat.context.cues import CueMatcher, shipped_cues
from spacy_medflat.context.judge import judge

CASES = Path(__file__).with_name("cases.txt").read_text(encoding="utf8").splitlines()
MATCHER = CueMatcher(shipped_cues())
LETTERS = {
    "assertion": {"a": "absent", "p": "possible", "c": "conditional", "h": "hypothetical", "l": "planned"},
    "experiencer": {"F": "family", "O": "other"},
    "temporality": {"H": "historical", "R": "resolved"},
}

Span = tuple[int, int, str]


class Marked(NamedTuple):
    """A text, its entities, and the attributes of each."""

    text: str
    spans: list[Span]
    values: list[tuple[str, str, str]]


def marked(source: str) -> Marked:
    """Read a marked sentence."""
    text, opened, found = "", [], []
    rest = source
    while rest:
        char, rest = rest[0], rest[1:]
        if char == "{":
            opened.append(len(text))
        elif char == "|":
            codes, rest = rest.split("}", 1)
            label, _, letters = codes.partition(" ")
            found.append(((opened.pop(), len(text), label), letters))
        else:
            text += char
    found.sort(key=lambda item: (item[0][0], -item[0][1]))
    values = [
        tuple(next((LETTERS[a][x] for x in letters if x in LETTERS[a]), VALUES[a][0]) for a in VALUES)
        for _, letters in found
    ]
    return Marked(text, [span for span, _ in found], values)


def judged(source: str) -> list[Context]:
    """What is said about the entities of a marked sentence."""
    text, spans, _ = marked(source)
    return judge(text, spans, MATCHER)


def values(contexts: list[Context]) -> list[tuple[str | None, str | None, str | None]]:
    """The attributes alone."""
    return [(context.assertion, context.experiencer, context.temporality) for context in contexts]


def with_spans(doc: Doc, spans: list[Span], key: str = "sc") -> Doc:
    """The Doc with these entities in a group."""
    doc.spans[key] = [doc.char_span(start, end, label=label) for start, end, label in spans]
    return doc
