"""Texts to learn from, whatever file they are in, and the words and tokens in them."""

from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from ..corpus.check import without_surrogates
from ..corpus.formats.registry import read_records
from ..errors import MedflatError
from ..files import BOM, decode
from ..lattice.source import WordSource
from .streams import COMPRESSED, inner_suffix, open_stream

_BATCH = 512


class FoundWords(NamedTuple):
    """A text and the words in it.

    text (str): the text.
    places (list of (int, int)): start and end of each word in characters, end exclusive; by start, longer ones first.
    """

    text: str
    places: list[tuple[int, int]]

    @property
    def words(self) -> list[str]:
        """The words themselves, in the order of `places`."""
        return [self.text[start:end] for start, end in self.places]


def iter_texts(paths: Iterable[Path]) -> Iterator[str]:
    """Read the texts of all files that are not blank.

    A `.txt` file, compressed or not, has one text a line. Other files and folders are annotated corpora, whose texts
    are taken; so is a `.txt` file with an `.ann` file beside it. Texts that UTF-8 cannot hold are logged and skipped.

    paths (iterable of Path): the files and folders.
    YIELDS (str): each text.
    RAISES (MedflatError): a path cannot be read.
    """
    for path in paths:
        if not path.exists():
            raise MedflatError(f"{path}: no such file or folder")
        for text in _lines(path) if _is_plain(path) else _corpus_texts(path):
            if text and not text.isspace():
                yield text


def find_words(texts: Iterable[str], source: WordSource) -> Iterator[FoundWords]:
    """Find the words of texts, in batches.

    texts (iterable of str): read 512 at a time.
    source (WordSource): ready to find words.
    YIELDS (FoundWords): each text with its words.
    """
    waiting = iter(texts)
    while batch := list(islice(waiting, _BATCH)):
        found = source.find(batch)
        bounds = found.bounds(len(batch))
        places = list(zip(found.start.tolist(), found.end.tolist(), strict=True))
        for text, first, last in zip(batch, bounds, bounds[1:], strict=False):
            yield FoundWords(text, places[first:last])


def tokens_of(text: str, places: Iterable[tuple[int, int]]) -> list[str]:
    """Cut a text into words that do not overlap and, between them, single characters.

    From left to right, the longest word that begins at a place is taken. White space is no token, and a word with
    white space in it is no word: the format of the vectors cannot hold it.

    text (str): the text.
    places (iterable of (int, int)): start and end of each word in characters, end exclusive, in any order.
    RETURNS (list of str): the tokens.
    """
    # The last of those that begin at the same place is the longest.
    ends = dict(sorted(places))
    tokens = []
    position = 0
    while position < len(text):
        token = text[position : ends.get(position, position)]
        if not token or any(map(str.isspace, token)):
            token = text[position]
        if not token.isspace():
            tokens.append(token)
        position += len(token)
    return tokens


def _is_plain(path: Path) -> bool:
    if path.is_dir() or path.with_suffix(".ann").exists():
        return False
    if path.suffix in COMPRESSED and inner_suffix(path) != ".txt":
        raise MedflatError(f"{path}: of compressed files only .txt can be read, with one text a line; unpack it")
    return inner_suffix(path) == ".txt"


def _corpus_texts(path: Path) -> Iterator[str]:
    return (record.text for record in without_surrogates(read_records(path)))


def _lines(path: Path) -> Iterator[str]:
    with open_stream(path) as stream:
        for number, data in enumerate(stream.file, 1):
            line = decode(data, path.name, number).rstrip("\r\n")
            yield line.removeprefix(BOM) if number == 1 else line
