"""The formats by name, and which one a path is in."""

from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

from ...errors import CorpusError
from ..record import Problem, Record
from .bio import read_bio, write_bio
from .brat import read_brat, write_brat
from .cmeee import read_cmeee, write_cmeee
from .docbin import read_docbin, write_docbin
from .doccano import read_doccano, write_doccano
from .json_io import read_objects
from .jsonl import read_jsonl, write_jsonl


class Format(NamedTuple):
    """A reader and a writer; the writer returns what it had to leave out."""

    read: Callable[[Path], Iterator[Record]]
    write: Callable[[Iterable[Record], Path], list[Problem]]


FORMATS: dict[str, Format] = {
    "cmeee": Format(read_cmeee, write_cmeee),
    "brat": Format(read_brat, write_brat),
    "bio": Format(read_bio, write_bio),
    "doccano": Format(read_doccano, write_doccano),
    "jsonl": Format(read_jsonl, write_jsonl),
    "docbin": Format(read_docbin, write_docbin),
}

_SUFFIXES = {
    ".json": "cmeee",
    ".jsonl": "jsonl",
    ".spacy": "docbin",
    ".ann": "brat",
    **dict.fromkeys((".bio", ".bmes", ".bioes", ".conll"), "bio"),
}

# The field that tells the entities of one JSON format from those of another.
_ENTITY_FIELDS = {"start_idx": "cmeee", "start_offset": "doccano", "start": "jsonl"}

_LOOK_AHEAD = 1000


def read_records(path: Path, format_name: str | None = None, spans_key: str = "sc") -> Iterator[Record]:
    """The records of a file or folder, in the named format or the one found by `detect_format`.

    spans_key: The span group to read, for docbin.
    RAISES (CorpusError): A missing path, an unknown format, or input that its reader cannot read.
    """
    name = known_format(format_name) if format_name else detect_format(path)
    _require(path)
    return read_docbin(path, spans_key) if name == "docbin" else FORMATS[name].read(path)


def write_records(
    records: Iterable[Record], path: Path, format_name: str, spans_key: str = "sc", lang: str = "zh"
) -> list[Problem]:
    """Write records in the named format.

    spans_key, lang: The span group and the tokenizer's language, for docbin.
    RETURNS (list[Problem]): What was left out.
    RAISES (CorpusError): An unknown format, or a path or record that its writer cannot take.
    """
    if known_format(format_name) == "docbin":
        return write_docbin(records, path, spans_key, lang)
    return FORMATS[format_name].write(records, path)


def known_format(name: str) -> str:
    """The name itself.

    RAISES (CorpusError): If it is not in `FORMATS`.
    """
    if name not in FORMATS:
        raise CorpusError(f"unknown format {name!r}; known are {', '.join(FORMATS)}")
    return name


def format_of_output(path: Path) -> str:
    """The format that the suffix of a file to be written stands for.

    RAISES (CorpusError): If it stands for none, as with a folder.
    """
    if path.suffix not in _SUFFIXES:
        raise CorpusError(f"{path}: the suffix tells no format; name one of {', '.join(FORMATS)}")
    return _SUFFIXES[path.suffix]


def detect_format(path: Path) -> str:
    """The format of a path, from its name and, for JSON, from the fields of the first 1,000 records.

    RAISES (CorpusError): A missing path, one of no known format, or JSON that cannot be read.
    """
    _require(path)
    if path.is_dir() or (path.suffix == ".txt" and path.with_suffix(".ann").exists()):
        return "brat"
    if path.suffix in {".json", ".jsonl"}:
        found = (_json_format(value) for _, value in islice(read_objects(path), _LOOK_AHEAD))
        return next(filter(None, found), _SUFFIXES[path.suffix])
    if path.suffix not in _SUFFIXES:
        raise CorpusError(f"{path}: the name does not tell the format; name one of {', '.join(FORMATS)}")
    return _SUFFIXES[path.suffix]


def _json_format(value: Any) -> str | None:
    """The format that an object's fields belong to; None if it could be any."""
    if not isinstance(value, dict):
        return None
    entities = value.get("entities")
    first = entities[0] if isinstance(entities, list) and entities else None
    if isinstance(first, dict):
        return next((name for field, name in _ENTITY_FIELDS.items() if field in first), None)
    triples = any(isinstance(value.get(field), list) for field in ("label", "labels"))
    return "doccano" if triples else None


def _require(path: Path) -> None:
    if not path.exists():
        raise CorpusError(f"{path}: no such file or folder")
