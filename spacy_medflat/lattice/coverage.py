"""How much of annotated texts a lexicon knows."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from spacy.util import minibatch

from ..corpus.record import Record
from .lexicon_words import LexiconWords

_BATCH_SIZE = 128


@dataclass
class LexiconCoverage:
    """How much of a lexicon occurs in texts.

    texts, characters (int): size of the texts.
    words (int): words as they would stand in the lattice, overlapping ones counted.
    mentions (Counter of str): gold mentions by label.
    known (Counter of str): those of them whose whole text is a word of the lattice.
    """

    texts: int = 0
    characters: int = 0
    words: int = 0
    mentions: Counter[str] = field(default_factory=Counter)
    known: Counter[str] = field(default_factory=Counter)

    @property
    def words_per_character(self) -> float:
        """Words divided by characters; 0 without texts."""
        return self.words / max(self.characters, 1)


def lexicon_coverage(source: LexiconWords, records: Iterable[Record]) -> LexiconCoverage:
    """Count words and gold mentions.

    source (LexiconWords): the lexicon.
    records (iterable of Record): texts; entities whose offsets are not in their text are no mentions.
    RETURNS (LexiconCoverage): the counts.
    """
    found = LexiconCoverage()
    for batch in minibatch(records, _BATCH_SIZE):
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
