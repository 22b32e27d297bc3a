"""A lexicon, words with their types and frequencies, and its files: one word a line, or tab-separated columns."""

import gzip
import zlib
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from ..errors import LexiconError, clipped
from ..files import BOM, decode, write_lines
from .rules import WordRules
from .words import TYPE_SEPARATOR, join_types

COLUMNS = ("word", "type", "frequency")
NO_VALUE = "-"

_CONTROL = {*map(chr, range(32)), "\x7f", "\x85", "\u2028", "\u2029"}
_GZIP = b"\x1f\x8b"


class Entry(NamedTuple):
    """A word of a lexicon.

    word (str): the word.
    types (str): its types, joined by `|`; empty if it has none.
    frequency (int or None): how often it occurs; None if that is unknown.
    """

    word: str
    types: str = ""
    frequency: int | None = None


class Lexicon:
    """Words with types and frequencies, in the order in which they came. A word stands in it once.

    revision (int): goes up with every change, so that what was built from the words can tell that it is out of date.
    """

    def __init__(self, words: Iterable[str] | Mapping[str, str] = ()):
        """Make a lexicon.

        words (iterable or mapping): words, or words with their types.
        """
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
        """The types of a word, joined by `|`. RAISES (KeyError): the word is not here."""
        return self._types[word]

    def frequency(self, word: str) -> int | None:
        """The frequency of a word, None if it is unknown or the word is not here."""
        return self._frequency.get(word)

    def entries(self) -> Iterator[Entry]:
        """All words with what is known about them."""
        return (Entry(word, types, self._frequency.get(word)) for word, types in self._types.items())

    def add(self, word: str, types: str = "", frequency: int | None = None) -> None:
        """Add a word. One that is here already keeps its types beside the new ones, and the higher frequency.

        word (str): text without control characters, and without white space at its ends.
        types (str): one type, or several with `|` between them.
        frequency (int or None): how often it occurs, from 0; None if that is unknown.
        RAISES (LexiconError): something else.
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

    def _put(self, word: str, types: str, frequency: int | None) -> None:
        old = self._types.get(word)
        if not types:
            self._types[word] = old or ""
        elif old != types:
            self._types[word] = join_types(old or "", types)
        if frequency is not None:
            self._frequency[word] = max(frequency, self._frequency.get(word, 0))
        self.revision += 1

    def update(self, words: Iterable[str] | Mapping[str, str]) -> None:
        """Add words, or words with their types.

        words (iterable or mapping): see `add`.
        RAISES (LexiconError): as with `add`.
        RAISES (TypeError): a single string, which would be taken apart.
        """
        _refuse_string(words)
        for word, types in words.items() if isinstance(words, Mapping) else ((word, "") for word in words):
            self.add(word, types)

    def remove(self, words: Iterable[str]) -> int:
        """Remove words; those that are not here are ignored.

        words (iterable of str): the words.
        RETURNS (int): how many were here.
        RAISES (TypeError): a single string, which would be taken apart.
        """
        _refuse_string(words)
        before = len(self)
        for word in words:
            self._types.pop(word, None)
            self._frequency.pop(word, None)
        self.revision += 1
        return before - len(self)

    def merge(self, other: "Lexicon") -> None:
        """Add the words of another lexicon; see `add` for words that both have."""
        for entry in list(other.entries()):
            self._put(*entry)

    def filter(
        self,
        rules: WordRules | None = None,
        *,
        min_frequency: int = 0,
        types: Collection[str] | None = None,
        drop: Collection[str] = (),
    ) -> "Lexicon":
        """Make a lexicon of the words that pass.

        rules (WordRules or None): limits on length and characters; None for no limits.
        min_frequency (int): words with a lower frequency are left out. Words of unknown frequency stay.
        types (collection of str or None): words with none of these types are left out; None for no limit.
        drop (collection of str): words to leave out.
        RETURNS (Lexicon): a new one.
        """
        wanted = None if types is None else set(types)
        kept = Lexicon()
        for word, kinds, frequency in self.entries():
            if word in drop or (rules and not rules.allow(word)):
                continue
            rare = frequency is not None and frequency < min_frequency
            if not rare and (wanted is None or wanted.intersection(kinds.split(TYPE_SEPARATOR))):
                kept._put(word, kinds, frequency)
        return kept

    def type_counts(self) -> Counter[str]:
        """How many words have each type; one without a type counts under the empty string."""
        return Counter(kind for types in self._types.values() for kind in types.split(TYPE_SEPARATOR))


def _has_control(text: str) -> bool:
    return not text.isprintable() and not _CONTROL.isdisjoint(text)


def _refuse_string(words: object) -> None:
    if isinstance(words, str):
        raise TypeError(f"words must be a list or a dict, but it is the string {clipped(words)}: put it in a list")


def read_lexicon(path: Path, columns: Sequence[str] | None = None) -> Lexicon:
    """Read a lexicon, gzipped or not.

    A file has one word a line, or columns with tabs between them. What a column holds is said by `columns`, or by a
    first line that names them (`word`, `type`, `frequency`); without either the first column is the word, and each
    other is the frequency if its first value is a whole number, otherwise the type. `-` or nothing is no value.
    Empty lines are skipped; a word that comes again adds to the first.

    columns (sequence of str or None): the columns, in their order: `word`, and at most once `type` and `frequency`.
    RETURNS (Lexicon): the words.
    RAISES (MedflatError): no such file, not UTF-8, a line with another number of columns, a frequency that is no whole
        number, or no word.
    """
    if not path.is_file():
        raise LexiconError(f"{path}: no such file")
    data = path.read_bytes()
    if data.startswith(_GZIP):
        try:
            data = gzip.decompress(data)
        except (OSError, EOFError, zlib.error) as error:
            raise LexiconError(f"{path}: damaged gzip file ({error}); get it again") from error
    return parse_lexicon(decode(data, path.name), path.name, columns)


def parse_lexicon(text: str, name: str, columns: Sequence[str] | None = None) -> Lexicon:
    """Read a lexicon from the text of a file.

    name (str): what messages call the file.
    For the rest see `read_lexicon`.
    """
    lines = text.removeprefix(BOM).split("\n")
    first = next((i for i, line in enumerate(lines) if line.strip()), 0)
    header = None if columns else _header(lines[first])
    first += header is not None
    order = list(columns or header or _guess(lines[first:]))
    if sorted(set(order)) != sorted(order) or "word" not in order or not set(order) <= set(COLUMNS):
        raise LexiconError(
            f"{name}: the columns must be word, and at most once type and frequency, but they are {', '.join(order)}"
        )
    places = [order.index(column) if column in order else -1 for column in COLUMNS]
    lexicon = Lexicon()
    for number, line in enumerate(lines[first:], first + 1):
        try:
            _add_line(lexicon, line, order, places)
        except LexiconError as error:
            raise LexiconError(f"{name} line {number}: {error}") from error
    if not len(lexicon):
        raise LexiconError(f"{name}: no words in this lexicon; give one word a line")
    return lexicon


def _header(line: str) -> list[str] | None:
    names = [part.strip().lower() for part in line.split("\t")]
    return names if len(names) > 1 and "word" in names and set(names) <= set(COLUMNS) else None


def _guess(lines: list[str]) -> list[str]:
    """The columns, from the first value of each."""
    width = max((line.count("\t") + 1 for line in lines[:1]), default=1)
    kinds: dict[int, str] = {}
    for line in lines:
        for i, value in enumerate(line.split("\t")[1:width], 1):
            value = value.strip()
            if i not in kinds and value and value != NO_VALUE:
                kinds[i] = "frequency" if _is_whole_number(value) else "type"
        if len(kinds) == width - 1:
            break
    # A column without any value can be either.
    left = [kind for kind in COLUMNS[1:] if kind not in kinds.values()]
    for i in range(1, width):
        if i not in kinds:
            kinds[i] = left.pop(0) if left else "type"
    return ["word", *(kinds[i] for i in range(1, width))]


def _add_line(lexicon: Lexicon, line: str, order: list[str], places: list[int]) -> None:
    fields = line.split("\t")
    if len(fields) == len(order):
        # The value of a column that is not there, at place -1.
        fields.append("")
        word, kind, count = (fields[place].strip() for place in places)
        if word or kind or count:
            lexicon.add(word, "" if kind == NO_VALUE else kind, _count(count))
    elif line.strip():
        raise LexiconError(
            f"{len(fields)} columns where {len(order)} are expected ({', '.join(order)}): {clipped(line)}"
        )


def _count(value: str) -> int | None:
    if not value or value == NO_VALUE:
        return None
    if not _is_whole_number(value):
        raise LexiconError(f"the frequency must be a whole number, but it is {clipped(value)}")
    return int(value)


def _is_whole_number(value: str) -> bool:
    return value.isascii() and value.isdigit()


def format_lexicon(lexicon: Lexicon) -> str:
    """The one form in which lexicons are written: a header, then words in the order of their code points."""
    lines = ["\t".join(COLUMNS)]
    lines += [
        f"{word}\t{types or NO_VALUE}\t{NO_VALUE if frequency is None else frequency}"
        for word, types, frequency in sorted(lexicon.entries())
    ]
    return "\n".join(lines) + "\n"


def write_lexicon(lexicon: Lexicon, path: Path) -> None:
    """Write a lexicon, whole or not at all; gzipped if the file is called `.gz`."""
    write_lines(path, [format_lexicon(lexicon)])
