"""`spacy_medflat.LexiconWords.v1`: the words of a lexicon, wherever they stand."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from spacy.util import logger, registry

from ..corpus.record import clipped
from ..corpus.textio import decode
from .lexicon import Lexicon, LexiconError
from .lexicon_file import format_lexicon, parse_lexicon, read_lexicon
from .matching import Matcher
from .rules import WordRules
from .source import FileSource
from .words import Words

FILE = "lexicon.tsv"


@registry.misc("spacy_medflat.LexiconWords.v1")
def create_lexicon_words(
    path: str | Path | None = None,
    min_length: int = 2,
    max_length: int = 8,
    chinese_only: bool = True,
    nested: bool = True,
) -> "LexiconWords":
    """The words of a lexicon.

    path: the lexicon file; see `read_lexicon`. It is read once, at initialization: a saved pipeline carries its
        words. None for a lexicon that is filled with `add_words` instead.
    min_length, max_length (int): in characters, both inclusive.
    chinese_only (bool): only words that are ideographs throughout.
    nested (bool): words inside words and words that cross; without it, from left to right, the longest at each place.
    """
    rules = WordRules(min_length, max_length, chinese_only)
    return LexiconWords(rules, path=None if path is None else str(path), nested=nested)


class LexiconWords(FileSource):
    """Finds the words of `lexicon`, which may be changed or replaced at any time; the next text sees the change."""

    def __init__(
        self, rules: WordRules | None = None, *, path: str | None = None, nested: bool = True, name: str = "lexicon"
    ):
        """The settings are those of `create_lexicon_words`."""
        self.name = name
        self.rules = rules or WordRules()
        self.path = path
        self.nested = nested
        self.lexicon = Lexicon()
        self._built: tuple[Lexicon, int, str, Matcher] | None = None

    def initialize(self) -> None:
        """Read the lexicon file, if there is one. Words that were added before stay.

        RAISES LexiconError: the file cannot be read, or there are no words, or the rules allow none of them.
        """
        if self.path is not None:
            loaded = read_lexicon(Path(self.path))
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

    def matcher(self) -> Matcher:
        """What finds the words as they are now; made anew after a change, which takes a second for 300,000 words."""
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
        """Take words out. RETURNS (int): how many were there."""
        return self.lexicon.remove(words)

    def files(self) -> dict[str, bytes]:
        """The lexicon as a file that `read_lexicon` reads."""
        return {FILE: format_lexicon(self.lexicon).encode("utf-8")}

    def load_files(self, files: dict[str, bytes]) -> None:
        """Take over what `files` gave.

        RAISES LexiconError: the file is missing or damaged. One without words must have the header.
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
