"""The word source that a lexicon file and segmenters make, alone or together."""

from pathlib import Path

from ..errors import MedflatError
from ..lattice.lexicon_words import LexiconWords
from ..lattice.rules import WordRules
from ..lattice.segmenter import SegmenterWords
from ..lattice.source import WordSource
from ..lattice.union_words import UnionWords


def make_source(
    lexicon: Path | None = None,
    pkuseg: str | None = None,
    rules: WordRules | None = None,
    *,
    jieba: bool = False,
    user_dict: Path | None = None,
) -> WordSource:
    """Make a word source, ready to find words.

    lexicon (Path or None): a file of words.
    pkuseg (str or None): the folder of a model, or the name of an installed one.
    rules (WordRules or None): limits on the words; None for the usual ones.
    jieba (bool): use jieba, with its own dictionary.
    user_dict (Path or None): words that the segmenters are to keep whole.
    RAISES (MedflatError): there is nothing to find words with, or something cannot be read or used.
    """
    own = str(user_dict) if user_dict else None
    sources: dict[str, WordSource] = {}
    if lexicon:
        sources["lexicon"] = LexiconWords(rules, path=str(lexicon))
    if pkuseg:
        sources["pkuseg"] = SegmenterWords(rules, model=pkuseg, user_dict=own)
    if jieba:
        sources["jieba"] = SegmenterWords(rules, segmenter="jieba", user_dict=own)
    if not sources:
        raise MedflatError("no words to look for: give a lexicon, a pkuseg model, jieba, or several of them")
    if user_dict and not pkuseg and not jieba:
        raise MedflatError(f"{user_dict}: words for a segmenter, but there is none: give a pkuseg model or jieba")
    source = UnionWords(sources)
    try:
        source.initialize()
    except ImportError as error:
        raise MedflatError(str(error)) from error
    return source
