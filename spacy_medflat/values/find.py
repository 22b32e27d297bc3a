"""Which value belongs to which entity of a text."""

import re
from bisect import bisect_left
from collections.abc import Collection, Sequence

from .attributes import Value
from .doses import DoseReading
from .reading import folded
from .results import ResultReading
from .vocabulary import Vocabulary

_MIXED = re.compile(r" ?\+ ?\Z")
# A value ends so far behind its entity at the latest.
_LONGEST = 120


def find_values(
    text: str,
    spans: Sequence[tuple[int, int, str]],
    terms: Vocabulary,
    tests: Collection[str],
    drugs: Collection[str],
) -> list[Value | None]:
    """Find the values of tests and drugs. The time is that of sorting them, and linear in the text.

    A value stands right behind its entity, with no other entity between them; that of a drug also right before it. An
    entity that is a part of a value itself, as 静滴 or 阳性, is none in between. What holds an entity is none either:
    in 血红蛋白降低, 血红蛋白 has a value.

    text (str): the text.
    spans (sequence of (int, int, str)): start and end characters, `end` exclusive, and label of each entity.
    terms (Vocabulary): what values are made of.
    tests, drugs (collection of str): the labels of those that have values, and doses.
    RETURNS (list of Value or None): one for each entity.
    """
    written = folded(text)
    places = {(start, end) for start, end, _ in spans if 0 <= start < end <= len(text)}
    solid = [place for place in places if not terms.is_term(written[slice(*place)])]
    starts, ends = sorted(start for start, _ in solid), sorted(end for _, end in solid)
    found: dict[tuple[int, int, str], Value | None] = {}
    behind_drugs: dict[int, tuple[int, int, str]] = {}
    mixtures: list[tuple[tuple[int, int, str] | None, tuple[int, int, str]]] = []
    # What a value before has used is not used again.
    used = 0
    for start, end, label in sorted(set(spans), key=lambda span: (span[1], span[0])):
        # 静滴 may be found as a procedure, but what follows is a drug's.
        if (start, end) not in places or label not in {*tests, *drugs} or terms.is_term(written[start:end]):
            continue
        following = bisect_left(starts, end)
        limit = min(starts[following] if following < len(starts) else len(text), end + _LONGEST)
        if label in drugs:
            dose = DoseReading(written, text, terms)
            behind = dose.behind(end, limit)
            before = bisect_left(ends, start + 1) - 1
            begun = dose.before(max(used, ends[before] if before >= 0 else 0), start)
            if mixed := _MIXED.search(written, max(0, begun - 3), begun):
                mixtures.append((behind_drugs.get(mixed.start()), (start, end, label)))
            behind_drugs[behind] = (start, end, label)
            found[start, end, label] = dose.value
        else:
            result = ResultReading(written, text, terms)
            behind = result.read(end, limit)
            found[start, end, label] = result.value
        used = max(used, behind)
    # 5%葡萄糖250ml+维生素C2g静滴qd: the last says how all are given.
    for first, second in reversed(mixtures):
        if first is not None:
            found[first] = _given_with(found[first], found[second])
    return [found.get((start, end, label)) for start, end, label in spans]


def _given_with(first: Value | None, second: Value | None) -> Value | None:
    """The value of a drug that is given together with another one, whose frequency and route count for both."""
    if first is None or second is None:
        return first
    shared = [
        part for part in second.parts if part.part in ("frequency", "route") and getattr(first, part.part) is None
    ]
    changed = {part.part: getattr(second, part.part) for part in shared}
    if "frequency" in changed:
        changed["per_day"] = second.per_day
    return first._replace(**changed, parts=(*first.parts, *shared))
