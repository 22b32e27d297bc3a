"""Texts to learn from, one after the other, whatever file they are in."""

from collections.abc import Iterable, Iterator, Sequence
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


class Found(NamedTuple):
    """A text and where words stand in it: (start, end) in characters, `end` exclusive, by start, longer first."""

    text: str
    words: list[tuple[int, int]]


def iter_texts(paths: Sequence[Path]) -> Iterator[str]:
    """The texts of all files that are not blank.

    A `.txt` file, compressed or not, has one text a line. Other files and folders are annotated corpora, whose texts
    are taken; so is a `.txt` file with an `.ann` file beside it. Texts that UTF-8 cannot hold are logged and passed
    over.
    RAISES (MedflatError): A path that cannot be read.
    """
    for path in paths:
        if not path.exists():
            raise MedflatError(f"{path}: no such file or folder")
        for text in _lines(path) if _is_plain(path) else _texts(path):
            if text and not text.isspace():
                yield text


def find_words(texts: Iterator[str], source: WordSource) -> Iterator[Found]:
    """Each text with the words that the source finds in it."""
    while batch := list(islice(texts, _BATCH)):
        words = source.find(batch)
        bounds = words.bounds(len(batch))
        places = list(zip(words.start.tolist(), words.end.tolist(), strict=True))
        for text, first, last in zip(batch, bounds, bounds[1:], strict=False):
            yield Found(text, places[first:last])


def _is_plain(path: Path) -> bool:
    if path.is_dir() or path.with_suffix(".ann").exists():
        return False
    if path.suffix in COMPRESSED and inner_suffix(path) != ".txt":
        raise MedflatError(f"{path}: of compressed files only .txt can be read, with one text a line; unpack it")
    return inner_suffix(path) == ".txt"


def _texts(path: Path) -> Iterator[str]:
    return (record.text for record in without_surrogates(read_records(path)))


def _lines(path: Path) -> Iterator[str]:
    with open_stream(path) as stream:
        for number, data in enumerate(stream.file, 1):
            line = decode(data, path.name, number).rstrip("\r\n")
            yield line.removeprefix(BOM) if number == 1 else line


def tokens_of(text: str, words: Iterable[tuple[int, int]]) -> list[str]:
    """The text as words that do not overlap and, between them, single characters.

    From left to right, the longest word that begins at a place is taken. White space is no token, and a word with
    white space in it is no word: the format of the vectors cannot hold it.
    words: (start, end) in characters, `end` exclusive, in any order.
    """
    longest: dict[int, int] = {}
    for start, end in words:
        longest[start] = max(end, longest.get(start, 0))
    tokens = []
    position = 0
    while position < len(text):
        end = longest.get(position, 0)
        token = text[position:end] if end > position else ""
        if not token or any(map(str.isspace, token)):
            token = text[position]
        if not token.isspace():
            tokens.append(token)
        position += len(token)
    return tokens
