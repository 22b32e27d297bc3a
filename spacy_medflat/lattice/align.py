"""Where the words of a segmenter stand in the text that it was given."""

import unicodedata
from collections.abc import Sequence
from functools import cache
from itertools import accumulate

# Characters of text and words that must agree for a word to be placed before the words ahead of it. So many in a row
# are no coincidence; shorter runs are looked for between two places found by longer ones.
_RUNS = (16, 4, 1)
# Up to so many pairs of a word and a place, all ways to lay the words out are compared.
_MOST_PAIRS = 20_000
# How much farther away a single word may stand than the characters without a word in between account for.
_SLACK = 16
# So far below 0 that a word adjacent to another cannot make up for it.
_NEVER = -2


def align_words(text: str, words: Sequence[str]) -> list[tuple[int, int, int]]:
    """Find a segmenter's words in its text, in order.

    Segmenters drop white space, and some drop, normalize or replace other characters, so lengths do not add up to
    offsets. Here white space does not count, and two characters are the same if they differ only in case or are forms
    of one character (full-width `Ａ`, ligatures, `…` for three dots). Where text and words still differ, the alignment
    goes on at the nearest place from which on they agree for long, and then returns to the part before it.

    text (str): the text.
    words (sequence of str): what the segmenter made of it.
    RETURNS (list of (int, int, int)): index into `words`, start and exclusive end in characters, of the words that were
        found. They are in order and do not overlap, and `text[start:end]` is the word up to such differences. A word
        that is not found, or that begins or ends within a character (the `m` of `㎎`), is left out and shifts no other.
    """
    folded = [_fold(char) for char in text]
    flat = "".join(folded)
    origin = [i for i, form in enumerate(folded) for _ in form]
    alignment = _Alignment(flat, ["".join(map(_fold, word)) for word in words])
    found = []
    for i, begin in alignment.places:
        end = begin + len(alignment.pieces[i])
        first, last = origin[begin], origin[end - 1]
        if (begin and origin[begin - 1] == first) or (end < len(origin) and origin[end] == last):
            continue
        found.append((i, first, last + 1))
    return found


@cache
def _fold(char: str) -> str:
    """What a character is compared as: nothing for white space, several characters for some."""
    # Decomposed, because a segmenter may compose what are two characters in the text.
    form = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", char).casefold())
    return "".join(form.split())


class _Alignment:
    """Words laid over a text without white space. `places` are (word, begin) of those that were found, in order."""

    def __init__(self, flat: str, pieces: list[str]):
        self.flat = flat
        self.pieces = pieces
        self.joined = "".join(pieces)
        self.offsets = list(accumulate(map(len, pieces), initial=0))
        self.places: list[tuple[int, int]] = []
        self._fill(0, len(pieces), 0, len(flat), 0)

    def _fill(self, first: int, last: int, begin: int, end: int, depth: int) -> None:
        """Place the words from `first` on, before `last`, in the text from `begin` to `end`."""
        while first < last and begin < end:
            if depth and (last - first) * (end - begin) <= _MOST_PAIRS:
                words = [i for i in range(first, last) if self.pieces[i]]
                fit = best_fit([self.pieces[i] for i in words], self.flat[begin:end])
                self.places += [(words[i], begin + place) for i, place in fit]
                return
            anchor = self._anchor(first, last, begin, end, depth)
            word, place = anchor or (last, end)
            if depth + 1 < len(_RUNS):
                self._fill(first, word, begin, place, depth + 1)
            if anchor is None:
                return
            first, begin = word, place
            while first < last and self.flat.startswith(self.pieces[first], begin, end):
                if self.pieces[first]:
                    self.places.append((first, begin))
                begin += len(self.pieces[first])
                first += 1

    def _anchor(self, first: int, last: int, begin: int, end: int, depth: int) -> tuple[int, int] | None:
        """The word, and its place, from which on text and words agree for long, with the least loss before it."""
        run = _RUNS[depth]
        surplus = end - begin - (self.offsets[last] - self.offsets[first])
        best, least = None, 4 * (len(self.flat) + len(self.joined)) + 1
        for i in range(first, last):
            skipped = self.offsets[i] - self.offsets[first]
            if skipped + abs(surplus) >= least:
                break
            if not self.pieces[i]:
                continue
            stop = max(self.offsets[i + 1], min(self.offsets[i] + run, self.offsets[last]))
            probe = self.joined[self.offsets[i] : stop]
            # Words that are skipped account for about as many characters of the text as they have themselves.
            expected = begin + skipped
            reach = least // 2 if run > 1 else min(least // 2, skipped + abs(surplus) + _SLACK)
            lowest, highest = max(begin, expected - reach), min(end, expected + reach + len(probe))
            if len(probe) < run:
                # The last words are long enough only together with the end of the text.
                starts = [end - len(probe)] if self.flat.endswith(probe, lowest, end) else []
            else:
                before = self.flat.rfind(probe, lowest, min(highest, expected + len(probe) - 1))
                starts = [before, self.flat.find(probe, max(lowest, expected), highest)]
            for start in starts:
                shift = start - expected
                loss = 2 * abs(shift) + abs(surplus - shift) + skipped
                if start >= begin and loss < least:
                    best, least = (i, start), loss
        return best


def best_fit(pieces: Sequence[str], flat: str) -> list[tuple[int, int]]:
    """Lay words over a text, in order and without overlaps.

    As many characters as possible belong to words; of several such ways, one with the most adjacent words (or words at
    an end of the text) is taken. Time and memory are in proportion to words times characters.

    pieces (sequence of str): the words, none of them empty.
    flat (str): the text.
    RETURNS (list of (int, int)): index and begin of the words that were placed, in order.
    """
    n, width = len(pieces), len(flat)
    # One character more counts more than any number of adjacent words.
    weight = n + 2
    # What the words from i on can earn in the text from p on: `loose` in general, `tight` if a word or the border ends
    # at p.
    loose = [[0] * (width + 1) for _ in range(n + 1)]
    tight = [[0] * (width + 1) for _ in range(n + 1)]
    tight[n][width] = 1

    def earned(i: int, p: int) -> int:
        """What placing word i at p earns, _NEVER if it does not stand there."""
        return len(pieces[i]) * weight + tight[i + 1][p + len(pieces[i])] if flat.startswith(pieces[i], p) else _NEVER

    for i in range(n - 1, -1, -1):
        for p in range(width - 1, -1, -1):
            placed = earned(i, p)
            loose[i][p] = max(loose[i + 1][p], loose[i][p + 1], placed)
            tight[i][p] = max(loose[i][p], placed + 1)
    places = []
    i = p = 0
    adjacent = 1
    while i < n and p < width:
        if earned(i, p) + adjacent == (tight if adjacent else loose)[i][p]:
            places.append((i, p))
            i, p, adjacent = i + 1, p + len(pieces[i]), 1
        elif loose[i + 1][p] == loose[i][p]:
            i, adjacent = i + 1, 0
        else:
            p, adjacent = p + 1, 0
    return places
