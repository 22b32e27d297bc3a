"""How many words have a vector, and how many more could be composed of those of their characters."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from .texts import Found


@dataclass(frozen=True, slots=True)
class Coverage:
    """Of `total` words, `with_vector` have one; `composable` have none, but at least one of their characters has.

    FLAT reads a composable word as the mean of the characters that have a vector, unless `missing = "drop"`.
    """

    total: int = 0
    with_vector: int = 0
    composable: int = 0

    def __str__(self) -> str:
        if not self.total:
            return "no words"
        share, composed = (100 * count / self.total for count in (self.with_vector, self.composable))
        return (
            f"{self.with_vector:,} of {self.total:,} have a vector ({share:.1f} %), "
            f"{self.composable:,} more can be composed from characters ({composed:.1f} %)"
        )


def coverage(words: Mapping[str, int], has_vector: Callable[[str], bool]) -> Coverage:
    """The coverage of words, each as often as it is counted."""
    with_vector = composable = 0
    for word, count in words.items():
        if has_vector(word):
            with_vector += count
        elif any(map(has_vector, word)):
            composable += count
    return Coverage(sum(words.values()), with_vector, composable)


def count_words(found: Iterable[Found], counts: Counter[str]) -> Iterator[Found]:
    """Hand on what was found, and count the words in passing."""
    for text, words in found:
        counts.update(text[start:end] for start, end in words)
        yield Found(text, words)
