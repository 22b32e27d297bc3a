"""The formats by name, and which one a path is in."""

from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from ...errors import CorpusError
from ..record import OnSkip, Problem, Record
from .bio import read_bio, write_bio
from .brat import read_brat, write_brat
from .cmeee import read_cmeee, write_cmeee
from .docbin import read_docbin, write_docbin
from .doccano import read_doccano, write_doccano
from .fields import json_format
from .inception import is_cas, read_inception, write_inception
from .json_io import read_objects
from .jsonl import read_jsonl, write_jsonl
from .labelstudio import read_labelstudio, write_labelstudio
from .prodigy import read_prodigy, write_prodigy


class CorpusFormat(NamedTuple):
    """A format of annotated texts.

    read (callable): the records of a file or folder; takes what is told of texts that are skipped, see `read_records`.
    write (callable): writes records to a path, and returns what it had to leave out.
    """

    read: Callable[[Path, OnSkip | None], Iterator[Record]]
    write: Callable[[Iterable[Record], Path], list[Problem]]


FORMATS: dict[str, CorpusFormat] = {
    "cmeee": CorpusFormat(read_cmeee, write_cmeee),
    "brat": CorpusFormat(read_brat, write_brat),
    "bio": CorpusFormat(read_bio, write_bio),
    "doccano": CorpusFormat(read_doccano, write_doccano),
    "jsonl": CorpusFormat(read_jsonl, write_jsonl),
    "prodigy": CorpusFormat(read_prodigy, write_prodigy),
    "labelstudio": CorpusFormat(read_labelstudio, write_labelstudio),
    "inception": CorpusFormat(read_inception, write_inception),
    "docbin": CorpusFormat(lambda path, _: read_docbin(path), write_docbin),
}

_SUFFIXES = {
    ".json": "cmeee",
    ".jsonl": "jsonl",
    ".spacy": "docbin",
    ".ann": "brat",
    **dict.fromkeys((".bio", ".bmes", ".bioes", ".conll"), "bio"),
}

_LOOK_AHEAD = 1000


def read_records(
    path: Path, format_name: str | None = None, spans_key: str = "sc", on_skip: OnSkip | None = None
) -> Iterator[Record]:
    """Read the records of a file or folder.

    format_name (str or None): a key of `FORMATS`; None to detect it.
    spans_key (str): the span group of the entities, for docbin.
    on_skip (callable or None): takes a problem for each text that is skipped: "unreadable" in a format that can be cut
        (lines, elements of a JSON array, files of a folder), or "rejected". None to raise an error at what is
        unreadable.
    RETURNS (iterator of Record): the records, read as they are consumed.
    RAISES (MedflatError): a missing path, an unknown format, or input that its reader cannot read.
    """
    name = format_name or detect_format(path)
    reader = _format(name).read
    _require(path)
    return read_docbin(path, spans_key) if name == "docbin" else reader(path, on_skip)


def write_records(
    records: Iterable[Record], path: Path, format_name: str, spans_key: str = "sc", lang: str = "zh"
) -> list[Problem]:
    """Write records in the named format.

    format_name (str): a key of `FORMATS`.
    spans_key, lang (str): the span group and the tokenizer's language, for docbin.
    RETURNS (list of Problem): what was left out.
    RAISES (CorpusError): an unknown format, or a path or record that its writer cannot take.
    """
    writer = _format(format_name).write
    return write_docbin(records, path, spans_key, lang) if format_name == "docbin" else writer(records, path)


def _format(name: str) -> CorpusFormat:
    if name not in FORMATS:
        raise CorpusError(f"unknown format {name!r}; known are {', '.join(FORMATS)}")
    return FORMATS[name]


def format_of_output(path: Path) -> str:
    """Tell the format from the suffix of a file to be written.

    RETURNS (str): a key of `FORMATS`.
    RAISES (CorpusError): the suffix stands for none, as with a folder.
    """
    if path.suffix not in _SUFFIXES:
        raise CorpusError(f"{path}: the suffix tells no format; name one of {', '.join(FORMATS)}")
    return _SUFFIXES[path.suffix]


def detect_format(path: Path) -> str:
    """Tell the format of a path from its name and, for JSON, from the fields of the first 1,000 records.

    RETURNS (str): a key of `FORMATS`.
    RAISES (MedflatError): a missing path, one of no known format, or JSON that cannot be read.
    """
    _require(path)
    if path.is_dir():
        return "inception" if _holds_cas(path) else "brat"
    if path.suffix == ".txt" and path.with_suffix(".ann").exists():
        return "brat"
    if path.suffix not in _SUFFIXES:
        raise CorpusError(f"{path}: the name does not tell the format; name one of {', '.join(FORMATS)}")
    if path.suffix == ".json" and is_cas(path):
        return "inception"
    objects = read_objects(path, lambda problem: None) if path.suffix in {".json", ".jsonl"} else iter(())
    found = (json_format(value) for _, value in islice(objects, _LOOK_AHEAD))
    return next(filter(None, found), _SUFFIXES[path.suffix])


def _holds_cas(folder: Path) -> bool:
    """Whether a folder has no texts, as brat keeps them, but files of INCEpTION."""
    files = [path for path in folder.rglob("*") if path.suffix in {".txt", ".ann", ".json"} and path.is_file()]
    return bool(files) and all(path.suffix == ".json" for path in files) and is_cas(files[0])


def _require(path: Path) -> None:
    if not path.exists():
        raise CorpusError(f"{path}: no such file or folder")
