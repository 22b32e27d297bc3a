"""A part in the format of the output, as the bytes of its files."""

import gzip
import json
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

from spacy.tokens import DocBin

from ..corpus.formats.registry import write_records
from ..corpus.record import Entity, Problem, Record
from ..errors import MedflatError
from ..files import replaced_when_done
from .items import Document, Failure, Found
from .parse import Fields, failure, plain

Written = tuple[Document, list[Found]]
"""A document with what was found in it."""


class Format(NamedTuple):
    """An output format.

    suffix: Of its files; empty if a part is a folder of files.
    render: Rows, names of fields, span group, language and schema to files by name, and what does not fit.
    """

    suffix: str
    render: Callable[[list[Written], Fields, str, str, Any], tuple[dict[str, bytes], list[Problem]]]


class PartFiles(NamedTuple):
    """The files of a part, by name, and what is not in them."""

    files: dict[str, bytes]
    entities: int
    problems: list[Problem]
    failures: list[Failure]


def write_part(rows: list[Written], target: str, names: Fields, key: str, lang: str, schema: Any = None) -> PartFiles:
    """Write a part; a document that the format cannot hold is left out and reported.

    target: A key of `FORMATS`.
    """
    failures: list[Failure] = []
    try:
        files, problems = FORMATS[target].render(rows, names, key, lang, schema)
    except MedflatError:
        rows, failures = _tried(rows, target, names, key, lang, schema)
        files, problems = FORMATS[target].render(rows, names, key, lang, schema)
    return PartFiles(files, sum(len(found) for _, found in rows), problems, failures)


def _tried(
    rows: list[Written], target: str, names: Fields, key: str, lang: str, schema: Any
) -> tuple[list[Written], list[Failure]]:
    """The rows that can be written on their own, and the reasons of the others."""
    good: list[Written] = []
    failures: list[Failure] = []
    for row in rows:
        try:
            FORMATS[target].render([row], names, key, lang, schema)
            good.append(row)
        except MedflatError as error:
            document, _ = row
            failures.append(failure(document.id, document.place, str(error)))
    return good, failures


def json_line(row: Written, names: Fields) -> bytes:
    """The fields of a document in their order, then its entities, as a line of JSON."""
    document, found = row
    value = {**plain(document.fields), names.entities: [entity._asdict() for entity in found]}
    try:
        return f"{json.dumps(value, ensure_ascii=False)}\n".encode()
    except TypeError as error:
        raise MedflatError(f"a field that JSON cannot hold: {error}") from error


def _jsonl(rows: list[Written], names: Fields, *_: Any) -> tuple[dict[str, bytes], list[Problem]]:
    return {"": b"".join(json_line(row, names) for row in rows)}, []


def _packed(rows: list[Written], names: Fields, *_: Any) -> tuple[dict[str, bytes], list[Problem]]:
    # Without a time, the same rows give the same bytes; packed files in a row are a packed file.
    return {"": gzip.compress(b"".join(json_line(row, names) for row in rows), mtime=0)}, []


def _parquet(
    rows: list[Written], names: Fields, key: str, lang: str, schema: Any
) -> tuple[dict[str, bytes], list[Problem]]:
    from .parquet import table_bytes

    return {"": table_bytes(rows, names.entities, schema)}, []


def _through_records(name: str) -> Callable[..., tuple[dict[str, bytes], list[Problem]]]:
    def render(rows: list[Written], names: Fields, key: str, lang: str, _: Any) -> tuple[Any, list[Problem]]:
        with TemporaryDirectory(prefix="medflat-") as scratch:
            path = Path(scratch) / "part"
            records = (_record(row, names, keeps_scores=name == "docbin") for row in rows)
            problems = write_records(records, path, name, key, lang)
            if path.is_file():
                return {"": path.read_bytes()}, problems
            files = (file for file in sorted(path.rglob("*")) if file.is_file())
            return {file.relative_to(path).as_posix(): file.read_bytes() for file in files}, problems

    return render


def _record(row: Written, names: Fields, keeps_scores: bool) -> Record:
    document, found = row
    # A string is the record's own identifier; another value stays among the fields too, as it is.
    own = {names.text, names.id} if isinstance(document.id, str) else {names.text}
    return Record(
        text=document.text,
        entities=[Entity(e.start, e.end, e.label, e.text, e.score if keeps_scores else None) for e in found],
        id="" if document.id is None else str(document.id),
        place=document.place,
        meta={name: value for name, value in plain(document.fields).items() if name not in own},
    )


FORMATS: dict[str, Format] = {
    "jsonl": Format(".jsonl", _jsonl),
    "jsonl.gz": Format(".jsonl.gz", _packed),
    "parquet": Format(".parquet", _parquet),
    "docbin": Format(".spacy", _through_records("docbin")),
    "brat": Format("", _through_records("brat")),
}


def join_parts(paths: Sequence[Path], target_format: str, output: Path) -> None:
    """Write one file out of all parts, in order, whole or not at all.

    RAISES (MedflatError): The parts are too large for one DocBin, which is made in memory.
    """
    with replaced_when_done(output, durable=True) as scratch:
        if target_format == "parquet":
            from .parquet import unified_schema, write_joined

            write_joined(paths, unified_schema(paths), scratch)
        elif target_format == "docbin":
            _join_docbin(paths, scratch)
        else:
            with scratch.open("wb") as file:
                for path in paths:
                    with path.open("rb") as part:
                        shutil.copyfileobj(part, file, 2**20)


def agree(paths: Sequence[Path], target_format: str) -> None:
    """Give all Parquet parts the same columns and types. Other formats have nothing to agree on."""
    if target_format != "parquet":
        return
    from .parquet import has_schema, unified_schema, write_joined

    schema = unified_schema(paths)
    for path in paths:
        if not has_schema(path, schema):
            with replaced_when_done(path, durable=True) as scratch:
                write_joined([path], schema, scratch)


def _join_docbin(paths: Sequence[Path], output: Path) -> None:
    joined = DocBin(attrs=["ORTH"], store_user_data=True)
    for path in paths:
        joined.merge(DocBin(store_user_data=True).from_bytes(path.read_bytes()))
    try:
        joined.to_disk(output)
    except ValueError as error:
        raise MedflatError(f"{output}: too large for one DocBin; name a folder as output") from error
