"""Nested entities as HTML: boxes inside boxes around the text itself, which stays as it is, spaces and all."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from typing import NamedTuple

from spacy.tokens import Doc

from ..corpus.docs import spans_with_scores

# Hues that lie far apart, for the labels in alphabetical order.
_HUES = (210, 20, 130, 285, 48, 175, 340, 85, 250, 0, 155, 310)

STYLE = """
.text { white-space: pre-wrap; overflow-wrap: anywhere; font-size: 17px; margin: 0; }
.entity { border: 1.5px solid hsl(var(--hue) 55% 45%); background: hsl(var(--hue) 70% 50% / .13);
  border-radius: 4px; margin: 0 1px; padding-inline: 2px; }
.entity::after { content: attr(data-label); font: 600 10px/1 sans-serif; color: hsl(var(--hue) 65% 30%);
  margin-inline: 3px 1px; vertical-align: 1px; white-space: nowrap; }
.entity.wrong { box-shadow: 0 0 0 1.5px #d00; }
.entity.goes-on { border-right-style: none; border-start-end-radius: 0; border-end-end-radius: 0; }
.entity.goes-on::after { content: ""; margin: 0; }
.entity.continued { border-left-style: dashed; border-start-start-radius: 0; border-end-start-radius: 0; }
"""


class Mark(NamedTuple):
    """A labelled span of a text.

    start, end (int): offsets in characters, end exclusive.
    label (str): what is shown beside it.
    score (float or None): 0 to 1, if it has one.
    wrong (bool): whether it is an error, which is marked in red.
    """

    start: int
    end: int
    label: str
    score: float | None = None
    wrong: bool = False


@dataclass
class _Box:
    """A mark or, where it crosses the end of another, a piece of it, and what is inside: text or boxes."""

    mark: Mark
    continued: bool = False
    goes_on: bool = False
    inside: list["str | _Box"] = field(default_factory=list)

    @property
    def height(self) -> int:
        """How many boxes lie inside each other here, this one included."""
        return 1 + max((item.height for item in self.inside if isinstance(item, _Box)), default=0)


def doc_marks(doc: Doc, spans_key: str = "sc") -> list[Mark]:
    """The spans of a group with their scores; none if there is no such group."""
    return [Mark(s.start_char, s.end_char, s.label_, score) for s, score in spans_with_scores(doc, spans_key)]


def colours(labels: Iterable[str]) -> dict[str, int]:
    """A hue in degrees for each label; the same labels always get the same."""
    return {label: _HUES[i % len(_HUES)] for i, label in enumerate(sorted(set(labels)))}


def render_html(text: str, marks: Sequence[Mark], hues: Mapping[str, int] | None = None) -> str:
    """Render a text with its marks as a `<p>` that needs `STYLE`.

    Labels and scores are not part of the text: a reader who copies it gets the text alone. Of marks that cross, the
    later one is cut where the earlier one ends, and goes on with a dashed edge; its label stands at its end.

    text (str): the text.
    marks (sequence of Mark): in any order.
    hues (mapping of str to int or None): see `colours`; by default made of the marks' labels.
    RAISES (ValueError): a mark lies outside of the text, or is empty.
    """
    for mark in marks:
        if not 0 <= mark.start < mark.end <= len(text):
            raise ValueError(f"{mark} is no stretch of a text of {len(text)} characters")
    chosen = colours(mark.label for mark in marks) if hues is None else hues
    items = _boxes(text, marks)
    # Boxes in lines of text take no room of their own; without this those of one line would cover the next.
    height = max((item.height for item in items if isinstance(item, _Box)), default=0)
    body = "".join(_html(item, chosen) for item in items)
    return f'<p class="text" style="line-height:{30 + 7 * height}px">{body}</p>'


def render_page(title: str, bodies: Iterable[str]) -> str:
    """A page of rendered texts that needs no other file."""
    items = "\n".join(bodies)
    return (
        '<!DOCTYPE html>\n<html lang="zh">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>body {{ font-family: sans-serif; max-width: 60em; margin: 2em auto; "
        f"padding: 0 1em; }}\n.text {{ padding: .4em 0; border-bottom: 1px solid #ddd; }}{STYLE}</style>\n</head>\n"
        f"<body>\n{items}\n</body>\n</html>\n"
    )


def _boxes(text: str, marks: Sequence[Mark]) -> list[str | _Box]:
    """The text cut into boxes that lie inside each other or apart."""
    waiting = sorted(marks, key=lambda m: (m.start, -m.end, m.label), reverse=True)
    root: list[str | _Box] = []
    open_: list[_Box] = []
    places = sorted({0, len(text), *(m.start for m in marks), *(m.end for m in marks)})
    for place, following in zip(places, [*places[1:], len(text)], strict=True):
        ending = [i for i, box in enumerate(open_) if box.mark.end == place]
        if ending:
            # What lies inside a box that ends, but ends later, is cut here and goes on after it.
            inner = [box for box in open_[ending[0] :] if box.mark.end > place]
            del open_[ending[0] :]
            for box in inner:
                box.goes_on = True
                _open(root, open_, _Box(box.mark, continued=True))
        while waiting and waiting[-1].start == place:
            _open(root, open_, _Box(waiting.pop()))
        if following > place:
            (open_[-1].inside if open_ else root).append(text[place:following])
    return root


def _open(root: list[str | _Box], open_: list[_Box], box: _Box) -> None:
    (open_[-1].inside if open_ else root).append(box)
    open_.append(box)


def _html(item: str | _Box, hues: Mapping[str, int]) -> str:
    if isinstance(item, str):
        return escape(item)
    mark = item.mark
    score = "" if mark.score is None else f" {mark.score:.2f}"
    shown = escape(mark.label + score)
    marked = {"entity": True, "wrong": mark.wrong, "continued": item.continued, "goes-on": item.goes_on}
    classes = " ".join(name for name, on in marked.items() if on)
    inside = "".join(_html(part, hues) for part in item.inside)
    style = f"--hue:{hues.get(mark.label, 0)};padding-block:{2 + 3 * (item.height - 1)}px"
    return f'<span class="{classes}" data-label="{shown}" title="{shown}" style="{style}">{inside}</span>'
