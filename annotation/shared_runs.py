"""Stretches of characters that sentences share with each other and with other texts."""

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from spacy_medflat.corpus.record import Record
from spacy_medflat.files import iter_lines

RUN = 12
"""So many characters in a row are not shared by chance, unless they are mostly a name or mostly numbers."""

OF_A_NAME = RUN - 2
"""A run with so many characters of one name (an entity but `sym`) does not count."""

LONGEST = 16
"""So many characters in a row of another text must go, whatever they are: a name, a phrase or numbers."""

CHINESE = RUN // 2
"""A run with fewer Chinese characters does not count."""

_CHINESE = re.compile("[\u4e00-\u9fff]")

SIMILAR = 0.5
"""Sentences whose groups of three characters overlap so far (Jaccard index) say the same."""


@dataclass(frozen=True, slots=True)
class SharedRun:
    """Characters in a row that a sentence shares with another text.

    record (Record): the sentence.
    run (str): what is shared, as long as it goes on, without white space.
    place (str): the other text.
    """

    record: Record
    run: str
    place: str


def read_set_phrases(path: Path) -> list[str]:
    """Read the phrases that notes repeat word by word, one a line."""
    return [line.strip() for _, line in iter_lines(path) if line.strip()]


def runs_of(text: str, size: int = RUN) -> Iterator[str]:
    """The groups of `size` characters of a text, white space left out."""
    bare = "".join(text.split())
    return (bare[i : i + size] for i in range(len(bare) - size + 1))


class RunFinder:
    """Knows the runs of the corpus, apart from set phrases, names and numbers."""

    def __init__(self, records: Sequence[Record], set_phrases: Iterable[str] = ()) -> None:
        phrases = list(set_phrases)
        self._records = records
        self._places: defaultdict[str, list[tuple[int, int]]] = defaultdict(list)
        for number, record in enumerate(records):
            for start, run in _own_runs(record, phrases):
                self._places[run].append((number, start))
        self._longest: defaultdict[str, list[tuple[int, int]]] = defaultdict(list)
        for number, record in enumerate(records):
            for start, run in enumerate(runs_of(record.text, LONGEST)):
                self._longest[run].append((number, start))

    def inside(self) -> list[SharedRun]:
        """What sentences of the corpus share with an earlier one, or repeat.

        RETURNS (list of SharedRun): by the later sentence.
        """
        hits: defaultdict[tuple[int, int], set[int]] = defaultdict(set)
        for places in self._places.values():
            first = places[0][0]
            for number, start in places[1:]:
                hits[number, first].add(start)
        return self._joined(hits, lambda number: self._records[number].place)

    def outside(self, texts: Iterable[tuple[str, str]]) -> list[SharedRun]:
        """What sentences share with other texts.

        texts (iterable of (str, str)): place and text of each.
        RETURNS (list of SharedRun): by sentence.
        """
        hits: defaultdict[tuple[int, int], set[int]] = defaultdict(set)
        names = []
        for other, (name, text) in enumerate(texts):
            names.append(name)
            for run in runs_of(text):
                for number, start in self._places.get(run, ()):
                    hits[number, other].add(start)
            for run in runs_of(text, LONGEST):
                for number, start in self._longest.get(run, ()):
                    hits[number, other].update(range(start, start + LONGEST - RUN + 1))
        return self._joined(hits, names.__getitem__)

    def _joined(self, hits: dict[tuple[int, int], set[int]], name: Callable[[int], str]) -> list[SharedRun]:
        found = []
        for (number, other), starts in sorted(hits.items()):
            bare = "".join(self._records[number].text.split())
            for first, last in _stretches(sorted(starts)):
                found.append(SharedRun(self._records[number], bare[first : last + RUN], name(other)))
        return found


def _own_runs(record: Record, set_phrases: list[str]) -> Iterator[tuple[int, str]]:
    """The runs of a sentence that count, with their start in the bare text."""
    kept = [i for i, char in enumerate(record.text) if not char.isspace()]
    bare = "".join(record.text[i] for i in kept)
    is_phrase = [False] * len(bare)
    for phrase in set_phrases:
        start = bare.find(phrase)
        while start >= 0:
            is_phrase[start : start + len(phrase)] = [True] * len(phrase)
            start = bare.find(phrase, start + 1)
    names = [(e.start, e.end) for e in record.entities if e.label != "sym" and e.end - e.start >= OF_A_NAME]
    for start in range(len(bare) - RUN + 1):
        run, places = bare[start : start + RUN], kept[start : start + RUN]
        is_name = any(sum(a <= i < b for i in places) >= OF_A_NAME for a, b in names)
        if not is_name and not any(is_phrase[start : start + RUN]) and len(_CHINESE.findall(run)) >= CHINESE:
            yield start, run


def _stretches(starts: list[int]) -> Iterator[tuple[int, int]]:
    first = last = starts[0]
    for start in starts[1:]:
        if start > last + 1:
            yield first, last
            first = start
        last = start
    yield first, last


def similar_pairs(records: Sequence[Record]) -> Iterator[tuple[Record, Record, float]]:
    """Pairs of sentences that say nearly the same.

    YIELDS (Record, Record, float): the later and the earlier sentence, and the Jaccard index of their groups of three
        characters, at least `SIMILAR`.
    """
    sizes: list[int] = []
    holders: defaultdict[str, list[int]] = defaultdict(list)
    for number, record in enumerate(records):
        groups = {record.text[i : i + 3] for i in range(max(len(record.text) - 2, 1))}
        shared = Counter(other for group in groups for other in holders[group])
        for other, n in sorted(shared.items()):
            index = n / (len(groups) + sizes[other] - n)
            if index >= SIMILAR:
                yield record, records[other], index
        sizes.append(len(groups))
        for group in groups:
            holders[group].append(number)
