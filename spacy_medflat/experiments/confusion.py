"""What kind of error a wrong or a missing span is, and which types are taken for which."""

from collections import Counter
from collections.abc import Collection, Iterable, Sequence

from ..corpus.record import Entity

ERROR_KINDS = ("type", "boundary", "both", "alone")
NOTHING = ""


def kind_of(span: Entity, others: Iterable[Entity]) -> str:
    """How an erroneous span relates to the errors of the other side.

    Spans that are right take no part: a needless span inside a right one is spurious, not a boundary error.

    span (Entity): a found span that is not gold, or a gold span that was not found.
    others (iterable of Entity): the gold spans of the text that were not found, or the found ones that are not gold.
    RETURNS (str): the first of `ERROR_KINDS` that applies. `type`: one of the others has the same start and end, and
        another label. `boundary`: one of the same label shares a character with it. `both`: one of another label does.
        `alone`: none shares a character; a found span is then spurious, a gold span missed.
    """
    overlapping = [other for other in others if other.start < span.end and span.start < other.end]
    if any((other.start, other.end) == (span.start, span.end) for other in overlapping):
        return "type"
    if any(other.label == span.label for other in overlapping):
        return "boundary"
    return "both" if overlapping else "alone"


def error_kinds(
    gold: Sequence[Collection[Entity]], found: Sequence[Collection[Entity]]
) -> tuple[Counter[str], Counter[str]]:
    """Count the errors of each kind.

    gold, found (sequence of collections of Entity): the spans of each text.
    RETURNS (Counter, Counter): of found spans that are not gold, and of gold spans that were not found.
    """
    wrong: Counter[str] = Counter()
    lost: Counter[str] = Counter()
    for wanted, got in zip(gold, found, strict=True):
        extra, missing = set(got) - set(wanted), set(wanted) - set(got)
        wrong.update(kind_of(span, missing) for span in extra)
        lost.update(kind_of(span, extra) for span in missing)
    return wrong, lost


def type_confusion(gold: Sequence[Collection[Entity]], found: Sequence[Collection[Entity]]) -> Counter[tuple[str, str]]:
    """Count which label was found for which gold label.

    Labels with the same start and end are paired: equal ones first, then the rest in alphabetical order; those left
    over with `NOTHING`. So each gold span and each found span is counted once, and the rows and columns sum to their
    numbers.

    gold, found (sequence of collections of Entity): the spans of each text.
    RETURNS (Counter): of (gold label, found label).
    """
    counts: Counter[tuple[str, str]] = Counter()
    for wanted, got in zip(gold, found, strict=True):
        wanted, got = set(wanted), set(got)
        counts.update((span.label, span.label) for span in wanted & got)
        missing, extra = _by_offsets(wanted - got), _by_offsets(got - wanted)
        for place in missing.keys() | extra.keys():
            pair = missing.get(place, []), extra.get(place, [])
            length = max(map(len, pair))
            counts.update(zip(*(labels + [NOTHING] * (length - len(labels)) for labels in pair), strict=True))
    return counts


def _by_offsets(spans: Iterable[Entity]) -> dict[tuple[int, int], list[str]]:
    places: dict[tuple[int, int], list[str]] = {}
    for span in spans:
        places.setdefault((span.start, span.end), []).append(span.label)
    return {place: sorted(labels) for place, labels in places.items()}
