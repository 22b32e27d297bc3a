"""`spacy_medflat.UnionWords.v1`: the words of several sources together."""

import copy
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import reduce
from pathlib import Path
from typing import Any

import srsly
from spacy.util import registry

from ..errors import MedflatError
from ..files import replaced_when_done
from .lexicon_words import LexiconWords
from .rules import LONGEST_ALLOWED, WordRules
from .source import WordSource
from .words import Words, union


@registry.misc("spacy_medflat.UnionWords.v1")
def create_union_words(sources: dict[str, Any]) -> "UnionWords":
    """Make a source of several. A word that several find is one word, marked with all their names.

    sources (dict of str to WordSource): by name, each a section of its own in the config:
        `[….words.sources.lexicon]`.
    RETURNS (UnionWords): the source.
    RAISES (MedflatError): no sources, something that is no word source, or a name with `+` in it.
    """
    return UnionWords(sources)


def with_lexicon(source: WordSource, name: str) -> "UnionWords":
    """A source that has another one of this name: if it has none, a lexicon for words of any length and script."""
    sources = source.sources if isinstance(source, UnionWords) else {source.name: source}
    if isinstance(source, UnionWords) and name in sources:
        return source
    return UnionWords({name: LexiconWords(WordRules(1, LONGEST_ALLOWED, False)), **sources})


class UnionWords:
    """Several word sources as one. The names given here take the place of the sources' own."""

    def __init__(self, sources: Mapping[str, WordSource], name: str = "union"):
        """Put sources together.

        sources (mapping of str to WordSource): by name; a name becomes a part of `span_id`, and a folder when the
            pipeline is saved.
        name (str): what errors call the source.
        """
        if not sources:
            raise MedflatError("spacy_medflat.UnionWords.v1 needs at least one source: add a section under sources")
        for key, source in sources.items():
            if not isinstance(source, WordSource):
                raise MedflatError(f"the source {key!r} of spacy_medflat.UnionWords.v1 is no word source: {source!r}")
            if not key or not key.replace("_", "").replace("-", "").isalnum():
                raise MedflatError(f"the name of a word source must be letters, digits, - and _, but it is {key!r}")
            source.name = key
        self.name = name
        self.sources = dict(sources)

    def initialize(self) -> None:
        """Initialize all sources."""
        for source in self.sources.values():
            source.initialize()

    def find(self, texts: Sequence[str]) -> Words:
        """The words of each text, from all sources."""
        return reduce(union, (source.find(texts) for source in self.sources.values()))

    def add_words(self, words: Iterable[str] | Mapping[str, str]) -> None:
        """Add words to the first source that is a lexicon."""
        self._lexicons()[0].add_words(words)

    def remove_words(self, words: Iterable[str]) -> int:
        """Remove words from all lexicons; a segmenter may still find them.

        RETURNS (int): in how many places they were.
        """
        chosen = words if isinstance(words, str) else list(words)
        return sum(source.remove_words(chosen) for source in self._lexicons())

    def lexicon_of(self, name: str) -> LexiconWords:
        """The lexicon of this name.

        RAISES (MedflatError): there is none.
        """
        found = self.sources.get(name)
        if not isinstance(found, LexiconWords):
            raise MedflatError(f"the word source {name!r} is no lexicon; name another than {', '.join(self.sources)}")
        return found

    def _lexicons(self) -> list[LexiconWords]:
        found: list[LexiconWords] = [source for source in self.sources.values() if isinstance(source, LexiconWords)]
        if not found:
            names = ", ".join(self.sources)
            raise MedflatError(f"none of the sources {names} is a lexicon: add LexiconWords.v1 to them")
        return found

    def to_bytes(self) -> bytes:
        """The bytes of all sources."""
        return srsly.msgpack_dumps({key: source.to_bytes() for key, source in self.sources.items()})

    def from_bytes(self, data: bytes) -> "UnionWords":
        """Load what `to_bytes` gave; see `from_disk`."""
        saved = srsly.msgpack_loads(data)
        return self._loaded(saved, lambda key, source: source.from_bytes(saved[key]))

    def to_disk(self, path: Path) -> None:
        """Write a folder for each source, whole or not at all; what is there is replaced, with all that is in it."""
        with replaced_when_done(path, force=True) as scratch:
            scratch.mkdir()
            for key, source in self.sources.items():
                source.to_disk(scratch / key)

    def from_disk(self, path: Path) -> "UnionWords":
        """Load what `to_disk` wrote.

        RAISES (MedflatError): it is of other sources, or one of them cannot be read. All sources are then as they were.
        """
        if not path.is_dir():
            raise MedflatError(f"{path}: the words of the source {self.name!r} are not there; save the pipeline again")
        names = sorted(part.name for part in path.iterdir() if not part.name.startswith("."))
        return self._loaded(names, lambda key, source: source.from_disk(path / key))

    def _loaded(self, saved: Iterable[str], load: Callable[[str, WordSource], Any]) -> "UnionWords":
        if set(saved) != set(self.sources):
            raise MedflatError(
                f"the saved words are of the sources {', '.join(saved)}, but the config has {', '.join(self.sources)}"
            )
        loaded = {key: copy.copy(source) for key, source in self.sources.items()}
        for key, source in loaded.items():
            load(key, source)
        self.sources = loaded
        return self
