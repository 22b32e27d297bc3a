"""The best of all ways to lay words over a short text."""

from collections.abc import Sequence

# So far below 0 that a word right behind another cannot make up for it.
NEVER = -2


def best_fit(pieces: Sequence[str], flat: str) -> list[tuple[int, int]]:
    """Lay words over a text, in order and without overlaps.

    As many characters as possible belong to words; of several such ways, one with the most words right behind each
    other (or at an end of the text) is taken. Time and memory are in proportion to words times characters.

    pieces: the words, none of them empty.
    RETURNS: (word, begin) of the words that were placed, in order.
    """
    n, width = len(pieces), len(flat)
    # One character more counts more than any number of words right behind each other.
    weight = n + 2
    # What the words from i on can earn in the text from p on: `loose` in general, `tight` if a word or the border ends
    # at p.
    loose = [[0] * (width + 1) for _ in range(n + 1)]
    tight = [[0] * (width + 1) for _ in range(n + 1)]
    tight[n][width] = 1

    def earned(i: int, p: int) -> int:
        """What placing word i at p earns, NEVER if it does not stand there."""
        return len(pieces[i]) * weight + tight[i + 1][p + len(pieces[i])] if flat.startswith(pieces[i], p) else NEVER

    for i in range(n - 1, -1, -1):
        for p in range(width - 1, -1, -1):
            placed = earned(i, p)
            loose[i][p] = max(loose[i + 1][p], loose[i][p + 1], placed)
            tight[i][p] = max(loose[i][p], placed + 1)
    places = []
    i = p = 0
    behind = 1
    while i < n and p < width:
        if earned(i, p) + behind == (tight if behind else loose)[i][p]:
            places.append((i, p))
            i, p, behind = i + 1, p + len(pieces[i]), 1
        elif loose[i + 1][p] == loose[i][p]:
            i, behind = i + 1, 0
        else:
            p, behind = p + 1, 0
    return places
