"""The inputs of a training: which files they are, how often each is read, and the texts in them."""

import codecs
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from ...corpus.formats.registry import read_records
from ...corpus.record import Problem
from ...encodings import detect_encoding, peek
from ...errors import MedflatError, SourceError
from ...files import BOM
from ...scale.items import Failure
from ...scale.parse import parse
from ...scale.readers import Meter, read_items
from ...scale.run_settings import FieldNames
from ...scale.sources import STDIN, Source, find_sources

# A longer line is read as several texts.
LONGEST = 2**16
UNREADABLE = "without a text that can be read"
_BLOCK = 2**16
_CORPUS_SUFFIXES = {".json", ".bio", ".bmes", ".bioes", ".conll", ".ann"}


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


@dataclass
class LeftOut:
    """Counts texts that are not used.

    reasons (Counter): how many, by reason.
    first (dict of str): the place and the cause of the first, by reason, where they are known.
    """

    reasons: Counter[str] = field(default_factory=Counter)
    first: dict[str, str] = field(default_factory=dict)

    def add(self, reason: str, example: str = "") -> None:
        """Count a text."""
        self.reasons[reason] += 1
        if example:
            self.first.setdefault(reason, example)


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


def read_texts(given: TextInput, left_out: LeftOut) -> Iterator[str]:
    """The texts of an input, in its order.

    given (TextInput): what to read.
    left_out (LeftOut): counts what cannot be read.
    YIELDS (str): each text. Bytes that are not in the encoding of a file of lines are half surrogates in it.
    RAISES (MedflatError): the input, or the rest of a file, cannot be read.
    """

    def skip(problem: Problem) -> None:
        left_out.add(UNREADABLE, f"{problem.place}: {problem.kind}")

    if not given.sources:
        yield from (record.text for record in read_records(Path(given.name), on_skip=skip))
    names = FieldNames(text=given.field, entities="")
    for source in given.sources:
        if source.kind == "lines":
            yield from _lines(source)
            continue
        for item in read_items([source], Meter()):
            document = parse(item, names)
            if isinstance(document, Failure):
                left_out.add(UNREADABLE, f"{document.place}: {document.reason}")
            else:
                yield document.text


def _lines(source: Source) -> Iterator[str]:
    """The lines of a file; one that is longer than `LONGEST` in pieces, so that memory is bounded."""
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
