"""How strings are annotated throughout the corpus, and sentences that differ from it."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

import ahocorasick_rs

from spacy_medflat.corpus.record import Entity, Record

from .source import Fault

OFTEN = 3
"""A string that is annotated so many times is known."""

MOSTLY = 0.8
"""And so far in the same way."""


def count_usage(records: Iterable[Record]) -> dict[str, Counter[str]]:
    """Count the types of every annotated string.

    RETURNS (dict of str to Counter of str): entities by type, by string.
    """
    usage: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for record in records:
        for entity in record.entities:
            usage[record.text[entity.start : entity.end]][entity.label] += 1
    return dict(usage)


def known_strings(usage: Mapping[str, Counter[str]]) -> dict[str, str]:
    """The strings of two characters or more that are annotated often, and mostly in the same way.

    RETURNS (dict of str to str): type by string.
    """
    known = {}
    for string, counts in usage.items():
        label, n = counts.most_common(1)[0]
        if len(string) > 1 and n >= OFTEN and n / counts.total() >= MOSTLY:
            known[string] = label
    return known


def find_odd(records: Sequence[Record], known: Mapping[str, str]) -> Iterator[Fault]:
    """Known strings that are not annotated, and body parts and measures that are not nested in a sign.

    known (mapping of str to str): see `known_strings`.
    YIELDS (Fault): a doubt for each.
    """
    strings = list(known)
    finder = ahocorasick_rs.AhoCorasick(strings, matchkind=ahocorasick_rs.MatchKind.LeftmostLongest)
    for record in records:
        for index, start, end in finder.find_matches_as_indexes(record.text):
            string, label = strings[index], known[strings[index]]
            over = [e for e in record.entities if e.start < end and start < e.end]
            if not over:
                detail = f"{string} at {start} is not annotated, mostly {label} elsewhere"
            elif label in {"bod", "ite"} and _only_in_sign(over, start, end):
                detail = f"{string} at {start} is not nested in its sym, mostly {label} elsewhere"
            else:
                continue
            yield Fault(record.meta["line"], detail, is_error=False)


def _only_in_sign(over: list[Entity], start: int, end: int) -> bool:
    return all(
        e.label == "sym" and e.start <= start and end <= e.end and (e.start, e.end) != (start, end) for e in over
    )
