"""The texts of an input, whatever its form, in pieces of bounded length, once each."""

import codecs
import hashlib
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ...corpus.formats.registry import read_records
from ...errors import MedflatError, SourceError
from ...files import BOM
from ...scale.encodings import detect_encoding, peek
from ...scale.items import Failure
from ...scale.parse import parse
from ...scale.readers import Meter, read_items
from ...scale.run_settings import FieldNames
from ...scale.sources import STDIN, Source, find_sources

# Longer texts are read as several.
LONGEST = 2**16
NOT_DECODED = "not in the encoding of their file"
DUPLICATE = "read before"
_BLOCK = 2**16
_CORPUS_SUFFIXES = {".json", ".bio", ".bmes", ".bioes", ".conll", ".ann"}
# Of 8 bytes: some four million texts, whatever the texts are.
_SLOTS = 2**22


@dataclass(frozen=True)
class TextInput:
    """An input of the command line.

    name (str): as it was given.
    sources (tuple of Source): its files; empty for an annotated corpus.
    weight (int): how often an epoch reads it.
    field (str): of the texts, where texts have fields.
    """

    name: str
    sources: tuple[Source, ...]
    weight: int = 1
    field: str = "text"


class Passage(NamedTuple):
    """A text to learn from.

    text (str): at most `LONGEST` characters, without white space at its ends.
    digest (int): 64 bits that know it again.
    """

    text: str
    digest: int


def find_inputs(
    names: Sequence[str], weights: Iterable[str] = (), encoding: str | None = None, field: str = "text"
) -> list[TextInput]:
    """What the names stand for.

    names (sequence of str): files or folders: plain text (`.txt`, a text a line), JSON lines, CSV or TSV, gzipped or
        not; Parquet; an annotated corpus in any known format.
    weights (iterable of str): `NAME=TIMES` for names that are to be read more than once in an epoch.
    encoding (str or None): of all texts; None to detect it for each file.
    field (str): of the text, in files with fields.
    RAISES (MedflatError): a missing path, an unknown kind of file, or a weight that is none.
    """
    times = dict(_weight(weight) for weight in weights)
    if unknown := sorted(times.keys() - set(names)):
        raise MedflatError(f"--weight {unknown[0]}: this is none of the inputs, which are {', '.join(names)}")
    if double := [name for name, count in Counter(names).items() if count > 1]:
        raise MedflatError(f"{double[0]} is given twice; give it once, with --weight {double[0]}=2")
    return [TextInput(name, _sources(name, encoding), times.get(name, 1), field) for name in names]


def _weight(value: str) -> tuple[str, int]:
    name, _, times = value.rpartition("=")
    if not name or not times.isdecimal() or int(times) < 1:
        raise MedflatError(f"--weight {value}: expected NAME=TIMES with a whole number from 1")
    return name, int(times)


def _sources(name: str, encoding: str | None) -> tuple[Source, ...]:
    path = Path(name)
    if name == STDIN:
        raise MedflatError("standard input (-) can be read only once, but texts are read again: give a file")
    if not path.exists():
        raise MedflatError(f"{name}: no such file or folder")
    if path.suffix.lower() in _CORPUS_SUFFIXES or (path.is_dir() and any(path.rglob("*.ann"))):
        return ()
    found = find_sources([name], encoding=encoding)
    return tuple(replace(source, kind="lines") if source.kind == "text" else source for source in found)


def read_passages(given: TextInput, seen: "SeenTexts", problems: Counter[str]) -> Iterator[Passage]:
    """Read an input once, in its order.

    given (TextInput): what to read.
    seen (SeenTexts): the texts so far; those that it knows are left out, the others added.
    problems (Counter): counts the texts that are left out, by reason.
    YIELDS (Passage): each text that is not blank.
    RAISES (MedflatError): the input cannot be read.
    """
    for whole in _texts(given, problems):
        for start in range(0, len(whole), LONGEST):
            text = whole[start : start + LONGEST].strip()
            if not text:
                continue
            try:
                data = text.encode("utf-8")
            except UnicodeEncodeError:
                problems[NOT_DECODED] += 1
                continue
            digest = int.from_bytes(hashlib.blake2b(data, digest_size=8).digest(), "little")
            if seen.add(digest):
                yield Passage(text, digest)
            else:
                problems[DUPLICATE] += 1


class SeenTexts:
    """Knows which texts came before, in bounded memory: those of long ago may be forgotten, none is made up.

    It holds a digest in each of `slots` places; a text that comes to a place takes it from another.
    """

    def __init__(self, slots: int = _SLOTS):
        # Not `zeros`: the system would give the memory only as it fills.
        self._places = np.full(slots, 0, dtype=np.uint64)

    def add(self, digest: int) -> bool:
        """Remember a text. RETURNS (bool): whether it is new."""
        digest = digest or 1
        place = digest % len(self._places)
        if int(self._places[place]) == digest:
            return False
        self._places[place] = digest
        return True

    def clear(self) -> None:
        """Forget all."""
        self._places[:] = 0


def _texts(given: TextInput, problems: Counter[str]) -> Iterator[str]:
    if not given.sources:
        records = read_records(Path(given.name), on_skip=lambda problem: problems.update([problem.kind]))
        yield from (record.text for record in records)
    names = FieldNames(text=given.field, entities="")
    for source in given.sources:
        if source.kind == "lines":
            yield from _lines(source)
            continue
        for item in read_items([source], Meter()):
            document = parse(item, names)
            if isinstance(document, Failure):
                problems[_kind_of(document)] += 1
            else:
                yield document.text


def _kind_of(failure: Failure) -> str:
    return "without a text that can be read"


def _lines(source: Source) -> Iterator[str]:
    """The lines of a file; one that is longer than `LONGEST` in pieces.

    Bytes that are not in the file's encoding become half surrogates.
    """
    try:
        with Meter().open(source) as file:
            encoding = source.encoding or detect_encoding(peek(file))
            decoder: Any = codecs.getincrementaldecoder(encoding)("surrogateescape")
            rest = decoder.decode(file.read(_BLOCK)).removeprefix(BOM)
            while True:
                *lines, rest = rest.split("\n")
                yield from lines
                while len(rest) > LONGEST:
                    yield rest[:LONGEST]
                    rest = rest[LONGEST:]
                if not (data := file.read(_BLOCK)):
                    break
                rest += decoder.decode(data)
            yield rest + decoder.decode(b"", True)
    except OSError as error:
        raise SourceError(f"{source.name}: cannot be read: {error.strerror or error}") from error
    except (EOFError, UnicodeError, zlib.error) as error:
        raise SourceError(f"{source.name}: damaged or cut off: {error}") from error
