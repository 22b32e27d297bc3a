"""The files of an input: which there are, what is in them, and a fingerprint to know them again."""

import codecs
import hashlib
import sys
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ..encodings import peek
from ..errors import MedflatError, amount
from ..files import escaped

STDIN = "-"
# The kinds of input by name, described for messages and help.
SOURCE_KINDS = {
    "jsonl": "an object a line",
    "json": "an array of objects, held in memory",
    "csv": "comma-separated, with a header",
    "tsv": "tab-separated, with a header",
    "parquet": "Parquet",
    "docbin": "spaCy documents, held in memory a file",
    "text": "one text a file",
    "lines": "one text a line",
}
_SUFFIXES = {
    ".jsonl": "jsonl",
    ".json": "json",
    ".csv": "csv",
    ".tsv": "tsv",
    ".parquet": "parquet",
    ".spacy": "docbin",
    ".txt": "text",
}
_PACKABLE = {"jsonl", "csv", "tsv", "text", "lines"}


@dataclass(frozen=True, slots=True)
class Source:
    """A file to be read.

    path (Path): the file, or `STDIN`.
    kind (str): a key of `SOURCE_KINDS`.
    name (str): for messages.
    identifier (str): of the text, if the file is one text.
    bytes (int): its size, as it lies on the disk.
    packed (bool): whether it is gzipped.
    encoding (str or None): of its text; None to detect it.
    """

    path: Path
    kind: str
    name: str
    identifier: str
    bytes: int
    packed: bool = False
    encoding: str | None = None


def find_sources(
    inputs: Iterable[str],
    kind: str | None = None,
    warn: Callable[[str], None] = lambda message: None,
    encoding: str | None = None,
) -> list[Source]:
    """The files of all inputs, in their order; those of a folder sorted by path, with its subfolders.

    Of a folder, files of unknown suffix are skipped with a warning, and files that begin with `.` or `_` without one.

    inputs (iterable of str): files, folders, or `STDIN`.
    kind (str or None): a key of `SOURCE_KINDS` for all files, in place of what their suffixes say.
    warn (callable): called with each warning.
    encoding (str or None): of all texts; None to detect it for each file.
    RETURNS (list of Source): what is to be read.
    RAISES (MedflatError): a missing path, an unknown kind or encoding, or nothing to read.
    """
    if encoding is not None:
        try:
            encoding = codecs.lookup(encoding).name
        except LookupError as error:
            raise MedflatError(f"unknown encoding {encoding!r}; try utf-8 or gb18030") from error
    if kind is not None and kind not in SOURCE_KINDS:
        raise MedflatError(f"unknown kind of input {kind!r}; known are {', '.join(SOURCE_KINDS)}")
    sources: list[Source] = []
    for name in inputs:
        path = Path(name)
        if name == STDIN:
            sources.append(Source(path, kind or _kind_of_pipe(warn), "standard input", "", 0))
        elif path.is_dir():
            sources.extend(_folder(path, kind, warn))
        elif path.exists():
            sources.append(_file(path, _kind(path, kind), path.name))
        else:
            raise MedflatError(f"{name}: no such file or folder")
    if [source.path for source in sources].count(Path(STDIN)) > 1:
        raise MedflatError("standard input (-) can be read only once")
    return [replace(source, encoding=encoding) for source in sources]


def _kind_of_pipe(warn: Callable[[str], None]) -> str:
    """Objects or plain lines, as the first character says."""
    beginning = peek(sys.stdin.buffer).removeprefix(codecs.BOM_UTF8).lstrip()
    if not beginning or beginning.startswith(b"{"):
        return "jsonl"
    warn("standard input is read as one text a line; see --from")
    return "lines"


def _folder(folder: Path, kind: str | None, warn: Callable[[str], None]) -> list[Source]:
    found = []
    unknown: Counter[str] = Counter()
    for path in sorted(folder.rglob("*")):
        inner = path.relative_to(folder)
        hidden = any(part.startswith((".", "_")) for part in inner.parts)
        if hidden or not path.is_file():
            continue
        if kind is None and _known(path) is None:
            unknown[path.suffix or path.name] += 1
        else:
            found.append(_file(path, _kind(path, kind), inner.as_posix()))
    if not found:
        raise MedflatError(f"{folder}: nothing to read in this folder; known suffixes are {', '.join(_SUFFIXES)}")
    if unknown:
        counts = ", ".join(f"{suffix} ×{count:,}" for suffix, count in unknown.most_common(5))
        warn(f"{folder}: {amount(unknown.total(), 'file')} of unknown kind passed over ({escaped(counts)}); see --from")
    return found


def _file(path: Path, kind: str, inner: str) -> Source:
    packed = path.suffix.lower() == ".gz"
    if packed and kind not in _PACKABLE:
        raise MedflatError(f"{path}: {kind} cannot be read packed; unpack it first")
    # Names of files need not be UTF-8, but outputs must be.
    identifier = escaped(_without(_without(inner, ".gz"), ".txt"))
    return Source(path, kind, escaped(path.as_posix()), identifier, path.stat().st_size, packed)


def _kind(path: Path, kind: str | None) -> str:
    found = kind or _known(path)
    if found is None:
        raise MedflatError(f"{path}: the suffix does not tell the kind of input; name one of {', '.join(SOURCE_KINDS)}")
    return found


def _known(path: Path) -> str | None:
    return _SUFFIXES.get(Path(_without(path.name, ".gz")).suffix.lower())


def _without(name: str, suffix: str) -> str:
    return name[: -len(suffix)] if name.lower().endswith(suffix) else name


def fingerprint(inputs: Iterable[str], sources: Iterable[Source]) -> dict[str, Any]:
    """What identifies the inputs: paths, number and size of files, and a digest of each file's size and time."""
    digest = hashlib.sha256()
    files = size = 0
    for source in sources:
        if source.path != Path(STDIN):
            state = source.path.stat()
            digest.update(f"{source.name}\0{state.st_size}\0{state.st_mtime_ns}\n".encode())
            files, size = files + 1, size + state.st_size
    paths = [name if name == STDIN else escaped(str(Path(name).resolve())) for name in inputs]
    return {"paths": paths, "files": files, "bytes": size, "digest": digest.hexdigest()}
