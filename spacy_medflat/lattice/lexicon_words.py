"""`spacy_medflat.LexiconWords.v1`: the words of a lexicon, wherever they stand."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from spacy.util import logger, registry

from ..errors import LexiconError, clipped
from ..files import decode
from ..loading import is_pipeline, load_model
from .lexicon import Lexicon, format_lexicon, parse_lexicon, read_lexicon
from .rules import LONGEST_ALLOWED, WordRules
from .source import FileSource
from .words import SourceTag, Words

FILE = "lexicon.tsv"

# No word has a line end in it, so no match reaches over one.
_SEPARATOR = "\n"


@registry.misc("spacy_medflat.LexiconWords.v1")
def create_lexicon_words(
    path: str | Path | None = None,
    min_length: int = 2,
    max_length: int = 8,
    chinese_only: bool = True,
    nested: bool = True,
) -> "LexiconWords":
    """Make a source of the words of a lexicon.

    path (str, Path or None): the lexicon file, see `read_lexicon`, or an installed pipeline or its folder, whose words
        are taken. It is read once, at initialization: a saved pipeline carries its words. None for a lexicon that is
        filled with `add_words` instead.
    min_length, max_length (int): in characters, both inclusive.
    chinese_only (bool): only words that are ideographs throughout.
    nested (bool): words inside words and words that cross; without it, from left to right, the longest at each place.
    RETURNS (LexiconWords): the source.
    """
    rules = WordRules(min_length, max_length, chinese_only)
    return LexiconWords(rules, path=None if path is None else str(path), nested=nested)


class LexiconWords(FileSource):
    """Finds the words of `lexicon`, which may be changed or replaced at any time; the next text sees the change."""

    def __init__(
        self, rules: WordRules | None = None, *, path: str | None = None, nested: bool = True, name: str = "lexicon"
    ):
        """Make a source with an empty lexicon.

        rules (WordRules or None): limits on the words; None for the usual ones.
        path (str or None), nested (bool): see `create_lexicon_words`.
        name (str): what the words found are marked with.
        """
        self.name = name
        self.rules = rules or WordRules()
        self.path = path
        self.nested = nested
        self.lexicon = Lexicon()
        self._built: tuple[Lexicon, int, str, Matcher] | None = None

    def initialize(self) -> None:
        """Read the lexicon file, if there is one. Words that were added before stay.

        RAISES (MedflatError): the file cannot be read, or there are no words, or the rules allow none of them.
        """
        if self.path is not None:
            loaded = _of_pipeline(self.path, self.name) if is_pipeline(self.path) else read_lexicon(Path(self.path))
            loaded.merge(self.lexicon)
            self.lexicon = loaded
        if not len(self.lexicon):
            raise LexiconError(
                f"the lexicon of the word source {self.name!r} is empty: set its path to a file with one word a line, "
                "or call add_words before nlp.initialize"
            )
        refused = self.rules.refused(self.lexicon)
        used = len(self.lexicon) - refused.total()
        left_out = "".join(f", {n:,} {reason}" for reason, n in sorted(refused.items()))
        logger.info("%s: %s words, %s used%s", self.name, f"{len(self.lexicon):,}", f"{used:,}", left_out)
        if not used:
            raise LexiconError(
                f"the word source {self.name!r} may use none of its {len(self.lexicon):,} words{left_out}: its rules "
                f"are {self.rules}"
            )

    def find(self, texts: Sequence[str]) -> Words:
        """The words of each text."""
        return self.matcher().find(texts)

    def matcher(self) -> "Matcher":
        """Find the words as they are now. It is made anew after a change, which takes a second for 300,000 words."""
        built = self._built
        if built is None or built[0] is not self.lexicon or built[1:3] != (self.lexicon.revision, self.name):
            matcher = Matcher(self.lexicon, self.rules, self.name, self.nested)
            self._built = built = (self.lexicon, self.lexicon.revision, self.name, matcher)
        return built[3]

    def add_words(self, words: Iterable[str] | Mapping[str, str]) -> None:
        """Add words, or words with their types. Warns of those that the rules keep from being found."""
        added = words if isinstance(words, Mapping | str) else list(words)
        self.lexicon.update(added)
        refused = [word for word in added if not self.rules.allow(word)]
        if refused:
            logger.warning(
                "%s: %d of %d words are outside the rules (%s) and will not be found; the first is %s",
                *(self.name, len(refused), len(added), self.rules, clipped(refused[0])),
            )

    def remove_words(self, words: Iterable[str]) -> int:
        """Remove words. RETURNS (int): how many were there."""
        return self.lexicon.remove(words)

    def files(self) -> dict[str, bytes]:
        """The lexicon as a file that `read_lexicon` reads."""
        return {FILE: format_lexicon(self.lexicon).encode("utf-8")}

    def load_files(self, files: dict[str, bytes]) -> None:
        """Load what `files` gave.

        RAISES (MedflatError): the file is missing or damaged. One without words must have the header.
        """
        if FILE not in files:
            raise LexiconError(
                f"the saved words of the source {self.name!r} have no file {FILE}, but {', '.join(files) or 'none'}; "
                "save the pipeline again"
            )
        text = decode(files[FILE], FILE)
        empty = text.strip() == format_lexicon(Lexicon()).strip()
        self.lexicon = Lexicon() if empty else parse_lexicon(text, FILE)

    def settings(self) -> dict[str, Any]:
        """The arguments that make a source like this one."""
        return {"rules": self.rules, "path": self.path, "nested": self.nested, "name": self.name}


def _of_pipeline(model: str, source: str) -> Lexicon:
    """A copy of the words in the lattice of another pipeline, from its source of this name, else its first lexicon."""
    found: dict[str, Lexicon] = {}
    for _, pipe in load_model(model).pipeline:
        words = getattr(pipe, "words", None)
        for part in [words, *getattr(words, "sources", {}).values()]:
            if isinstance(part, LexiconWords):
                found.setdefault(part.name, part.lexicon)
    if not found:
        raise LexiconError(f"the pipeline {model!r} has no lexicon: none of its components is a lattice with one")
    copy = Lexicon()
    copy.merge(found.get(source, next(iter(found.values()))))
    return copy


class Matcher:
    """Finds the words of a lexicon, as they are when it is made.

    n_words (int): how many words it finds.
    """

    def __init__(self, lexicon: Lexicon, rules: WordRules, source: str, nested: bool = True):
        """Make the automaton.

        lexicon (Lexicon): where words and types come from.
        rules (WordRules): which of its words to find.
        source (str): what the words found are marked with.
        nested (bool): find all words, those inside others and those that cross others included. Without it only words
            that do not overlap: from left to right, the longest one at each place.
        """
        from ahocorasick_rs import AhoCorasick, MatchKind

        # Sorted, because the automaton of a million words is then made in half the time.
        words = sorted(filter(rules.allow, lexicon))
        types = [lexicon.types(word) for word in words]
        codes = {kind: code for code, kind in enumerate(dict.fromkeys(types))}
        self.n_words = len(words)
        self._tag = np.array([codes[kind] for kind in types], dtype=np.int64)
        self._tags = tuple(SourceTag(kind, source) for kind in codes)
        self._nested = nested
        kind = MatchKind.Standard if nested else MatchKind.LeftmostLongest
        self._automaton: Any = AhoCorasick(words, matchkind=kind, store_patterns=False)

    def find(self, texts: Sequence[str]) -> Words:
        """The words of each text."""
        matches = self._automaton.find_matches_as_indexes(_SEPARATOR.join(texts), overlapping=self._nested)
        flat = np.fromiter(chain.from_iterable(matches), dtype=np.int64, count=3 * len(matches))
        by_end = flat.reshape(-1, 3)
        # By start, longer first: one key sorts faster than the three columns of `Words.ordered`.
        key = by_end[:, 1] * LONGEST_ALLOWED - (by_end[:, 2] - by_end[:, 1])
        pattern, start, end = by_end[np.argsort(key)].T
        begins = text_begins(texts)
        text = np.searchsorted(begins, start, side="right") - 1
        return Words(text, start - begins[text], end - begins[text], self._tag[pattern], self._tags)


def text_begins(texts: Sequence[str]) -> NDArray[np.int64]:
    """Find where each text begins when all are joined with one character between them.

    RETURNS (int64 [texts]): in characters.
    """
    lengths = np.fromiter((len(text) + 1 for text in texts), dtype=np.int64, count=len(texts))
    return np.cumsum(lengths) - lengths
