"""From a name to the codes of a table: the same name, one written otherwise, or ones that are alike."""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from .attributes import Code
from .ngrams import PairIndex, pairs_of
from .normal import Normal, normalise
from .rows import CodeRow

_DIGITS = 4
# Notes name the same things again and again.
_REMEMBERED = 2**16


class _Entry(NamedTuple):
    """A name of a code."""

    code: str
    name: str
    normal: Normal


class CodeIndex:
    """Finds the codes of names."""

    def __init__(self, rows: Iterable[CodeRow]):
        """Make the index of a table. A hundred thousand rows take some seconds."""
        by_labels: dict[tuple[str, ...], list[CodeRow]] = {}
        for row in rows:
            by_labels.setdefault(row.labels, []).append(row)
        self._parts = {labels: _Part(part) for labels, part in by_labels.items()}
        self._known: dict[tuple[str, str, float, int], tuple[Code, ...]] = {}

    def link(self, name: str, label: str, threshold: float, n_best: int) -> tuple[Code, ...]:
        """The codes of a name.

        The same name comes before one written otherwise (`normalised`), and that before those that are alike
        (`fuzzy`), which are looked for only if there are no others.

        name (str): the name.
        label (str): the label of its entity; rows for other labels are left out.
        threshold (float): the least score, 0 to 1.
        n_best (int): how many codes at most.
        RETURNS (tuple of Code): best first, each code once; of equal ones, those of an earlier row first.
        """
        query = (name, label, threshold, n_best)
        if query not in self._known:
            if len(self._known) >= _REMEMBERED:
                self._known.clear()
            self._known[query] = self._link(name, label, threshold, n_best)
        return self._known[query]

    def _link(self, name: str, label: str, threshold: float, n_best: int) -> tuple[Code, ...]:
        parts = [part for labels, part in self._parts.items() if not labels or label in labels]
        normal = normalise(name)
        for find in (_Part.same, _Part.normalised):
            found = [code for part in parts for code in find(part, name, normal)]
            if found:
                return _ranked(found, n_best)
        return _ranked([code for part in parts for code in part.alike(normal, threshold)], n_best)


class _Part:
    """The rows for the same labels."""

    def __init__(self, rows: Sequence[CodeRow]):
        self._entries: list[_Entry] = []
        self._by_name: dict[str, list[int]] = {}
        self._by_key: dict[str, list[int]] = {}
        self._by_bare: dict[str, list[int]] = {}
        for row in rows:
            for name in dict.fromkeys((row.name, *row.synonyms)):
                normal = normalise(name)
                if normal.key:
                    number = len(self._entries)
                    self._entries.append(_Entry(row.code, name, normal))
                    self._by_name.setdefault(name, []).append(number)
                    self._by_key.setdefault(normal.key, []).append(number)
                    self._by_bare.setdefault(normal.bare, []).append(number)
        self._bare = list(self._by_bare)
        self._pairs = PairIndex(self._bare)

    def same(self, name: str, normal: Normal) -> Iterator[Code]:
        """The codes with this very name."""
        for number in self._by_name.get(name, ()):
            entry = self._entries[number]
            yield Code(entry.code, entry.name, 1.0, "exact")

    def normalised(self, name: str, normal: Normal) -> Iterator[Code]:
        """The codes whose name is written otherwise; if there are none, those of no side or its own."""
        if not normal.key:
            return
        numbers = self._by_key.get(normal.key) or self._by_bare.get(normal.bare, [])
        for number in numbers:
            entry = self._entries[number]
            if _goes_with(normal, entry.normal):
                yield Code(entry.code, entry.name, 1.0, "normalised", _unsaid(normal, entry.normal))

    def alike(self, normal: Normal, threshold: float) -> Iterator[Code]:
        """Codes whose name is alike, with the mean of rapidfuzz's ratio and the share of pairs of characters.

        The ratio, 2 * (common subsequence) / (both lengths), knows order; the pairs weigh what is rare, so that
        胃恶性肿瘤 and 肺恶性肿瘤 are not alike.
        """
        from rapidfuzz.distance import Indel

        if not normal.bare:
            return
        pairs = pairs_of(normal.bare)
        weight = self._pairs.weight(pairs)
        for index in self._pairs.candidates(pairs):
            key = self._bare[index]
            common = self._pairs.weight(pairs & pairs_of(key))
            shared = 2 * common / (weight + self._pairs.weight_of(index))
            if (1 + shared) / 2 < threshold:
                continue
            score = round((Indel.normalized_similarity(normal.bare, key) + shared) / 2, _DIGITS)
            for number in self._by_bare[key] if score >= threshold else ():
                entry = self._entries[number]
                if _goes_with(normal, entry.normal):
                    yield Code(entry.code, entry.name, score, "fuzzy", _unsaid(normal, entry.normal))


def _goes_with(span: Normal, row: Normal) -> bool:
    """A row of no side fits every span; one of a side fits a span of that side."""
    return row.side is None or row.side == span.side


def _unsaid(span: Normal, row: Normal) -> str | None:
    return span.side if row.side is None else None


def _ranked(found: Sequence[Code], n_best: int) -> tuple[Code, ...]:
    """The best codes, each once. Of equally alike ones, one that leaves no side unsaid comes first."""
    best: dict[str, Code] = {}
    for code in sorted(found, key=lambda code: (-code.score, code.side is not None)):
        best.setdefault(code.code, code)
    return tuple(best.values())[:n_best]
