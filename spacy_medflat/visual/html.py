"""A text with nested entities as HTML: underlined, their labels beneath them, inner ones nearer to the text."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import NamedTuple

from spacy.tokens import Doc

from ..corpus.docs import spans_with_scores
from ..corpus.said import said_shown
from .labels import colours, full_name
from .lanes import Mark, assign_lanes, outer_first


class Rendered(NamedTuple):
    """A text as HTML.

    html (str): a `<p class="text">` that needs the style sheet `text.css`.
    hidden (int): marks that are not drawn, because too many share their characters.
    """

    html: str
    hidden: int


def doc_marks(doc: Doc, spans_key: str = "sc") -> list[Mark]:
    """The spans of a group with their scores; none if there is no such group."""
    return [
        Mark(span.start_char, span.end_char, span.label_, score, "", *said_shown(span))
        for span, score in spans_with_scores(doc, spans_key)
    ]


def render_html(text: str, marks: Sequence[Mark], palette: Mapping[str, str] | None = None, first: int = 0) -> Rendered:
    """Render a text with its marks.

    Labels and scores are no part of the text: a reader who copies it gets the text alone. A label is tied to the first
    character of its mark, so that no line break comes between them. Of marks that cross, the one that starts later is
    made of pieces.

    text (str): the text.
    marks (sequence of Mark): in any order.
    palette (mapping of str to str or None): see `colours`; by default made of the marks' labels.
    first (int): number of the first mark; all pieces of a mark and its label have its number in `data-mark`.
    RAISES (ValueError): a mark lies outside of the text, or is empty.
    """
    for mark in marks:
        if not 0 <= mark.start < mark.end <= len(text):
            raise ValueError(f"{mark} is no stretch of a text of {len(text)} characters")
    chosen = colours(mark.label for mark in marks) if palette is None else palette
    lanes = assign_lanes(text, marks)
    drawn = [i for i in outer_first(marks) if lanes[i] is not None]
    tags = {i: _tag(marks[i], lanes[i] or 0, chosen, first + i) for i in drawn}
    waiting = drawn[::-1]
    open_: list[int] = []
    # Where the latest piece of a mark begins in parts.
    opened: dict[int, int] = {}
    parts: list[str] = []
    places = sorted({0, len(text), *(marks[i].start for i in drawn), *(marks[i].end for i in drawn)})
    for place, following in zip(places, [*places[1:], len(text)], strict=True):
        depth = next((depth for depth, i in enumerate(open_) if marks[i].end == place), len(open_))
        # What lies inside a mark that ends, but ends later, is cut here and goes on after it.
        cut = [i for i in open_[depth:] if marks[i].end > place]
        for i in cut:
            parts[opened[i]] = parts[opened[i]].replace('class="entity', 'class="entity part', 1)
        parts.append("</span>" * (len(open_) - depth))
        starting = []
        while waiting and marks[waiting[-1]].start == place:
            starting.append(waiting.pop())
        open_[depth:] = [*cut, *starting]
        for i in open_[depth:]:
            opened[i] = len(parts)
            parts.append(tags[i])
        captions = [_caption(marks[i], lanes[i] or 0, chosen, first + i) for i in starting]
        if captions:
            parts.append(f'<span class="head">{escape(text[place])}{"".join(captions)}</span>')
        parts.append(escape(text[place + bool(captions) : following]))
    height = 1 + max((lanes[i] or 0 for i in drawn), default=-1)
    return Rendered(f'<p class="text" style="--lanes:{height}">{"".join(parts)}</p>', len(marks) - len(drawn))


def _tag(mark: Mark, lane: int, palette: Mapping[str, str], number: int) -> str:
    facts = [f"{mark.label} {full_name(mark.label)}" if full_name(mark.label) != mark.label else mark.label]
    facts += [f"{mark.score:.4g}"] if mark.score is not None else []
    facts += [f"{mark.said} ({mark.cues})" if mark.cues else mark.said] if mark.said else []
    facts += list(filter(None, (mark.value, mark.code)))
    facts += [f"{mark.start}–{mark.end}"] + ([mark.error] if mark.error else [])
    about = escape(" · ".join(facts))
    kinds = "".join(f" {kind}" for kind, shown in (("said", mark.said), ("wrong", mark.error)) if shown)
    return (
        f'<span class="entity{kinds}" data-mark="{number}" title="{about}" '
        f'style="--colour:{palette.get(mark.label, "#333")};--lane:{lane}">'
    )


def _caption(mark: Mark, lane: int, palette: Mapping[str, str], number: int) -> str:
    return (
        f'<b class="{"wrong" if mark.error else ""}" data-mark="{number}" data-caption="{escape(mark.caption)}" '
        f'style="--colour:{palette.get(mark.label, "#333")};--lane:{lane}"></b>'
    )
