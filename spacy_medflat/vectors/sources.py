"""The word source that a lexicon file, a segmenter's model, or both together make."""

from __future__ import annotations

from pathlib import Path

from ..corpus.record import CorpusError
from ..lattice.lexicon_words import LexiconWords
from ..lattice.rules import WordRules
from ..lattice.segmenter import SegmenterWords
from ..lattice.source import WordSource
from ..lattice.union_words import UnionWords


def make_source(lexicon: Path | None = None, pkuseg: str | None = None, rules: WordRules | None = None) -> WordSource:
    """A word source, ready to find words.

    pkuseg: The folder of a model, or the name of an installed one.
    rules: Limits on the words; None for the usual ones.
    RAISES (CorpusError): Neither is given, or one cannot be read or used.
    """
    sources: dict[str, WordSource] = {}
    if lexicon:
        sources["lexicon"] = LexiconWords(rules, path=str(lexicon))
    if pkuseg:
        sources["pkuseg"] = SegmenterWords(rules, model=pkuseg)
    if not sources:
        raise CorpusError("no words to look for: give a lexicon, a pkuseg model, or both")
    source = UnionWords(sources)
    try:
        source.initialize()
    except CorpusError:
        raise
    except (ValueError, ImportError) as error:
        raise CorpusError(str(error)) from error
    return source
