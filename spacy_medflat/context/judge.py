"""What is said about each entity of a text, from its cues and sections."""

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence

from ..tables import fold
from .attributes import VALUES, Context, FoundCue
from .cues import Cue, CueMatcher
from .headings import Section
from .scopes import Root, Scope, Scopes

_UNSAID = Context("present", "patient", "current")
# Of the values that reach an assertion, the first counts. Something planned whose absence is in question is possible:
# 建议行造影排除肺栓塞.
PRECEDENCE = ("hypothetical", "absent", "possible", "conditional", "planned", "present")


def judge(
    text: str, spans: Sequence[tuple[int, int, str]], matcher: CueMatcher, sections: Iterable[Section] = ()
) -> list[Context]:
    """Judge the entities of a text. The time is that of sorting them, and linear in the text.

    text (str): the text.
    spans (sequence of (int, int, str)): start and end characters, `end` exclusive, and label of each entity.
    matcher (CueMatcher): the cues.
    sections (iterable of Section): the sections of the text.
    RETURNS (list of Context): one for each entity. Those inside another one have what it has, and those that are no
        stretch of the text what needs no cue.
    """
    order = sorted(
        (i for i, (start, end, _) in enumerate(spans) if 0 <= start < end <= len(text)),
        key=lambda i: (spans[i][0], -spans[i][1]),
    )
    owner = _owners(spans, order)
    roots = [Root(*spans[i]) for i in order if owner[i] == i]
    scopes = Scopes(fold(text), roots, matcher)
    titles = _Titles(sections, matcher.sections)
    found = {root: _context(text, root, scopes, titles) for root in dict.fromkeys(roots)}
    return [found[Root(*spans[owner[i]])] if i in owner else _UNSAID for i in range(len(spans))]


def _owners(spans: Sequence[tuple[int, int, str]], order: Iterable[int]) -> dict[int, int]:
    """The outermost entity around each one; itself if there is none. Two on the same characters do not hold each other.

    order (iterable of int): the entities by start, longer ones first.
    """
    owner: dict[int, int] = {}
    widest: int | None = None
    for i in order:
        start, end, _ = spans[i]
        held = widest is not None and spans[widest][1] >= end and spans[widest][:2] != (start, end)
        owner[i] = widest if held and widest is not None else i
        if not held and (widest is None or end > spans[widest][1]):
            widest = i
    return owner


def _context(text: str, root: Root, scopes: Scopes, titles: "_Titles") -> Context:
    values: list[str] = []
    cues: dict[FoundCue, None] = {}
    for attribute, decide in (("assertion", _assertion), ("experiencer", _nearest), ("temporality", _temporality)):
        deciding = decide(root, scopes, VALUES[attribute])
        value = _value(attribute, deciding)
        for scope in deciding:
            start, end = scope.match.start, scope.match.end
            cues.setdefault(FoundCue(start, end, text[start:end], scope.row.category))
        if not deciding and (title := titles.cue_of(root, attribute, text)):
            value = title.value
            cues.setdefault(title)
        values.append(value)
    assertion, experiencer, temporality = values
    return Context(assertion, experiencer, temporality, tuple(sorted(cues)))


def _value(attribute: str, deciding: Sequence[Scope]) -> str:
    if not deciding:
        return VALUES[attribute][0]
    return "possible" if len(deciding) > 1 else deciding[0].row.category


def _assertion(root: Root, scopes: Scopes, values: Sequence[str]) -> list[Scope]:
    """The scope that decides; those of `planned` and `absent` if both reach."""
    reaching = {value: found for value in values if (found := _scopes(root, scopes, value))}
    acting = {value: found for value in reaching if (found := _acting(root, reaching[value]))}
    first = next((value for value in PRECEDENCE if value in acting), None)
    if first == "absent" and "planned" in reaching:
        return [reaching["planned"][0], acting["absent"][0]]
    return acting[first][:1] if first else []


def _nearest(root: Root, scopes: Scopes, values: Sequence[str]) -> list[Scope]:
    """The scope of the cue behind the entity, or else before it; the nearest of several."""
    acting = [scope for value in values for scope in _acting(root, _scopes(root, scopes, value))]
    return sorted(acting, key=lambda scope: (scope.after, _distance(scope, root)))[:1]


def _temporality(root: Root, scopes: Scopes, values: Sequence[str]) -> list[Scope]:
    """As `_nearest`, but what is resolved is so, whatever else is said."""
    return _acting(root, _scopes(root, scopes, "resolved"))[:1] or _nearest(root, scopes, values)


def _scopes(root: Root, scopes: Scopes, value: str) -> list[Scope]:
    """The scopes of a value that reach an entity, at most one on each side."""
    both = (scopes.covering(root, value, after) for after in (True, False))
    return [scope for scope in both if scope]


def _acting(root: Root, found: Iterable[Scope]) -> list[Scope]:
    return [scope for scope in found if scope.row.allows(root.label)]


def _distance(scope: Scope, root: Root) -> int:
    return root.start - scope.match.start if scope.after else scope.match.end - root.end


class _Titles:
    """What the sections of a text say about its entities."""

    def __init__(self, sections: Iterable[Section], rows: Mapping[str, Sequence[Cue]]):
        self._sections = sorted(sections)
        self._starts = [section.start for section in self._sections]
        self._rows = rows

    def cue_of(self, root: Root, attribute: str, text: str) -> FoundCue | None:
        """The title of the section that the entity is in, if it speaks for a value of the attribute."""
        index = bisect_right(self._starts, root.start) - 1
        if index < 0 or self._sections[index].end < root.end:
            return None
        section = self._sections[index]
        for row in self._rows.get(section.label, ()):
            if row.attribute == attribute and row.allows(root.label):
                return FoundCue(section.start, section.title_end, text[section.start : section.title_end], row.category)
        return None
