"""Candidates by the pairs of characters that names share."""

from collections.abc import Sequence

import numpy as np

# The first and the last character of a name count as pairs with these.
_BEGIN, _END = "\x02", "\x03"
# So many names are looked at for a query, those of its rarest pairs first.
_POSTINGS = 8_000
# So many of them are scored exactly.
_KEPT = 32


def pairs_of(key: str) -> set[str]:
    """The pairs of neighbouring characters of a name, with its borders."""
    padded = f"{_BEGIN}{key}{_END}"
    return {padded[i : i + 2] for i in range(len(padded) - 1)}


class PairIndex:
    """Finds the names that share the rarest pairs of characters with a query.

    The weight of a pair is its inverse document frequency, log(1 + names / names that have it).
    """

    def __init__(self, keys: Sequence[str]):
        """keys (sequence of str): the names."""
        numbers: dict[str, int] = {}
        pairs: list[int] = []
        counts = np.empty(len(keys), dtype=np.int64)
        for index, key in enumerate(keys):
            own = pairs_of(key)
            counts[index] = len(own)
            pairs += [numbers.setdefault(pair, len(numbers)) for pair in own]
        owners = np.repeat(np.arange(len(keys), dtype=np.int32), counts)
        flat = np.array(pairs, dtype=np.int32)
        frequencies = np.bincount(flat, minlength=len(numbers))
        self._numbers = numbers
        self._owners = owners[np.argsort(flat, kind="stable")]
        self._starts = np.concatenate([[0], np.cumsum(frequencies)])
        weights = np.log1p(len(keys) / np.maximum(frequencies, 1))
        self._weights = weights.astype(np.float32)
        self._weight_of = dict(zip(numbers, weights.tolist(), strict=True))
        self._unknown = float(np.log1p(len(keys)))
        self._totals = np.bincount(owners, weights=weights[flat], minlength=len(keys)).astype(np.float32)
        self._shared = np.zeros(len(keys), dtype=np.float32)

    def weight(self, pairs: set[str]) -> float:
        """The sum of the weights of pairs. What no name has weighs as what one name has."""
        return sum([self._weight_of.get(pair, self._unknown) for pair in pairs])

    def weight_of(self, index: int) -> float:
        """The sum of the weights of the pairs of a name."""
        return float(self._totals[index])

    def candidates(self, pairs: set[str]) -> list[int]:
        """The indices of the names that share most with a query, best first."""
        known = [self._numbers[pair] for pair in pairs if pair in self._numbers]
        known.sort(key=lambda number: self._starts[number + 1] - self._starts[number])
        lists: list[np.ndarray] = []
        looked = 0
        for number in known:
            owners = self._owners[self._starts[number] : self._starts[number + 1]]
            looked += len(owners)
            if lists and looked > _POSTINGS:
                break
            self._shared[owners] += self._weights[number]
            lists.append(owners)
        if not lists:
            return []
        owners = np.concatenate(lists)
        shares = self._shared[owners] / (self._totals[owners] + np.float32(self.weight(pairs)))
        self._shared[owners] = 0.0
        if len(owners) > 4 * _KEPT:
            # A name stands in the list once for each pair.
            best = np.argpartition(-shares, 4 * _KEPT)[: 4 * _KEPT]
            owners, shares = owners[best], shares[best]
        order = np.lexsort((owners, -shares))
        return list(dict.fromkeys(owners[order].tolist()))[:_KEPT]
