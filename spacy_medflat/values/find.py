"""Which value belongs to which entity of a text."""

from bisect import bisect_left
from collections.abc import Collection, Sequence

from .attributes import Value
from .read import Reading, folded
from .vocabulary import Vocabulary

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
    # What a value before has used is not used again.
    used = 0
    for start, end, label in sorted(set(spans), key=lambda span: (span[1], span[0])):
        if (start, end) not in places or label not in {*tests, *drugs}:
            continue
        following = bisect_left(starts, end)
        limit = min(starts[following] if following < len(starts) else len(text), end + _LONGEST)
        reading = Reading(written, text, terms)
        if label in drugs:
            behind = reading.drug(end, limit)
            before = bisect_left(ends, start + 1) - 1
            reading.before(max(used, ends[before] if before >= 0 else 0), start)
        else:
            behind = reading.test(end, limit)
        used = max(used, behind)
        found[start, end, label] = reading.value
    return [found.get((start, end, label)) for start, end, label in spans]
