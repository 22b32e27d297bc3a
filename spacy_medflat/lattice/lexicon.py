"""A lexicon: words with their types and frequencies."""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import NamedTuple

from ..corpus.record import CorpusError, clipped
from .rules import WordRules
from .words import TYPE_SEPARATOR, join_types


class LexiconError(CorpusError):
    """A lexicon that cannot be read or used. The message names file, line and value."""


class Entry(NamedTuple):
    """A word of a lexicon. `types` are joined by `|`, empty if it has none; `frequency` is None if unknown."""

    word: str
    types: str = ""
    frequency: int | None = None


class Lexicon:
    """Words with types and frequencies, in the order in which they came. A word stands in it once.

    `revision` goes up with every change, so that what was built from the words can tell that it is out of date.
    """

    def __init__(self, words: Iterable[str] | Mapping[str, str] = ()):
        """words: words, or words with their types."""
        self._types: dict[str, str] = {}
        self._frequency: dict[str, int] = {}
        self.revision = 0
        self.update(words)

    def __len__(self) -> int:
        return len(self._types)

    def __contains__(self, word: object) -> bool:
        return word in self._types

    def __iter__(self) -> Iterator[str]:
        return iter(self._types)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Lexicon):
            return NotImplemented
        return self._types == other._types and self._frequency == other._frequency

    __hash__ = None  # type: ignore[assignment]

    def types(self, word: str) -> str:
        """The types of a word, joined by `|`. RAISES KeyError: the word is not here."""
        return self._types[word]

    def frequency(self, word: str) -> int | None:
        """The frequency of a word, None if it is unknown or the word is not here."""
        return self._frequency.get(word)

    def entries(self) -> Iterator[Entry]:
        """All words with what is known about them."""
        return (Entry(word, types, self._frequency.get(word)) for word, types in self._types.items())

    def add(self, word: str, types: str = "", frequency: int | None = None) -> None:
        """Add a word. One that is here already keeps its types beside the new ones, and the higher frequency.

        types (str): one type, or several with `|` between them.
        RAISES LexiconError: a word that is empty, has white space at its ends or a control character in it; a type
            with such a character; a frequency below 0.
        """
        if not isinstance(word, str) or not word or word != word.strip() or _has_control(word):
            raise LexiconError(
                f"not a word: {clipped(word)}; words are text without tabs, line ends, or white space at their ends"
            )
        if types and (types != types.strip() or _has_control(types)):
            raise LexiconError(f"not a type: {clipped(types)}, of the word {clipped(word)}")
        if frequency is not None and frequency < 0:
            raise LexiconError(f"the frequency of {clipped(word)} must not be below 0, but it is {frequency}")
        self._put(word, types, frequency)
        self.revision += 1

    def _put(self, word: str, types: str, frequency: int | None) -> None:
        old = self._types.get(word)
        if not types:
            self._types[word] = old or ""
        elif old != types:
            self._types[word] = join_types(old or "", types)
        if frequency is not None:
            self._frequency[word] = max(frequency, self._frequency.get(word, 0))

    def update(self, words: Iterable[str] | Mapping[str, str]) -> None:
        """Add words, or words with their types.

        RAISES TypeError: a single string, which would be taken apart. LexiconError: as with `add`.
        """
        if isinstance(words, str):
            raise TypeError(f"words must be a list or a dict, but it is the string {clipped(words)}: put it in a list")
        for word, types in words.items() if isinstance(words, Mapping) else ((word, "") for word in words):
            self.add(word, types)

    def remove(self, words: Iterable[str]) -> int:
        """Take words out; those that are not here are passed over. RETURNS (int): how many were here."""
        if isinstance(words, str):
            raise TypeError(f"words must be a list, but it is the string {clipped(words)}: put it in a list")
        before = len(self)
        for word in words:
            self._types.pop(word, None)
            self._frequency.pop(word, None)
        self.revision += 1
        return before - len(self)

    def merge(self, other: "Lexicon") -> None:
        """Add the words of another lexicon; see `add` for words that both have."""
        for word, types, frequency in list(other.entries()):
            self._put(word, types, frequency)
        self.revision += 1

    def filter(
        self,
        rules: WordRules | None = None,
        *,
        min_frequency: int = 0,
        types: Collection[str] | None = None,
        drop: Collection[str] = (),
    ) -> "Lexicon":
        """A new lexicon with the words that pass.

        rules (WordRules): limits on length and characters; None for no limits.
        min_frequency (int): words with a lower frequency go. Words of unknown frequency stay.
        types: words with none of these types go; None for no limit.
        drop: words that go.
        """
        allows: Callable[[str], bool] = rules.allow if rules else lambda word: True
        wanted = None if types is None else set(types)
        kept = Lexicon()
        for word, kinds, frequency in self.entries():
            if word in drop or not allows(word) or (frequency is not None and frequency < min_frequency):
                continue
            if wanted is None or wanted.intersection(kinds.split(TYPE_SEPARATOR)):
                kept._put(word, kinds, frequency)
        return kept

    def type_counts(self) -> Counter[str]:
        """How many words have each type; one without a type counts under the empty string."""
        return Counter(kind for types in self._types.values() for kind in types.split(TYPE_SEPARATOR))


_CONTROL = {*map(chr, range(32)), "\x7f", "\x85", "\u2028", "\u2029"}


def _has_control(text: str) -> bool:
    return not text.isprintable() and not _CONTROL.isdisjoint(text)
