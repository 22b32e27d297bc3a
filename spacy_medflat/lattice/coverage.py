"""How much of annotated texts a lexicon knows."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from spacy.util import minibatch

from ..corpus.record import Record
from .lexicon_words import LexiconWords

BATCH = 128


@dataclass
class LexiconCoverage:
    """What the texts have of a lexicon.

    characters, words (int): of all texts; words as they would stand in the lattice, overlapping ones counted.
    mentions, known (Counter): gold mentions by label, and those whose whole text is a word of the lattice.
    """

    texts: int = 0
    characters: int = 0
    words: int = 0
    mentions: Counter[str] = field(default_factory=Counter)
    known: Counter[str] = field(default_factory=Counter)

    @property
    def words_per_character(self) -> float:
        """0 without texts."""
        return self.words / max(self.characters, 1)


def lexicon_coverage(source: LexiconWords, records: Iterable[Record]) -> LexiconCoverage:
    """Count words and gold mentions; entities out of the range of their text are no mentions."""
    found = LexiconCoverage()
    for batch in minibatch(records, BATCH):
        texts = [record.text for record in batch]
        found.texts += len(texts)
        found.characters += sum(map(len, texts))
        found.words += len(source.find(texts))
        for record in batch:
            for entity in record.entities:
                if 0 <= entity.start < entity.end <= len(record.text):
                    mention = record.text[entity.start : entity.end]
                    found.mentions[entity.label] += 1
                    found.known[entity.label] += mention in source.lexicon and source.rules.allow(mention)
    return found
