"""A part in the format of the output, as the bytes of its files, and one file out of all parts."""

import gzip
import json
import shutil
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

from spacy.tokens import DocBin

from ..corpus.formats.registry import write_records
from ..corpus.record import Entity, Problem, Record
from ..errors import MedflatError
from ..files import replaced_when_done
from .items import Document, Failure, FoundEntity
from .parse import failure, plain
from .run_settings import FieldNames

# A document with what was found in it.
Written = tuple[Document, list[FoundEntity]]
# The files of a part by name, and what does not fit into them.
Rendered = tuple[dict[str, bytes], list[Problem]]


class PartFormat(NamedTuple):
    """An output format.

    suffix (str): of its files; empty if a part is a folder of files.
    render (callable): rows, names of fields, span group, language and Parquet schema to the files of a part.
    """

    suffix: str
    render: Callable[[list[Written], FieldNames, str, str, Any], Rendered]


class PartFiles(NamedTuple):
    """A part that is written.

    files (dict of bytes): by name within the part.
    entities (int): how many are in them.
    problems (list of Problem): what the format could not hold.
    failures (list of Failure): documents that it could not hold at all.
    """

    files: dict[str, bytes]
    entities: int
    problems: list[Problem]
    failures: list[Failure]


def write_part(
    rows: list[Written], target: str, names: FieldNames, key: str, lang: str, schema: Any = None
) -> PartFiles:
    """Write a part. A document that the format cannot hold is left out and reported.

    rows (list of Written): the documents with their entities.
    target (str): a key of `PART_FORMATS`.
    names (FieldNames): of the output.
    key (str): span group of the entities, in a DocBin.
    lang (str): language of the pipeline.
    schema (pyarrow.Schema or None): of the input, see `parquet.table_bytes`.
    """
    form = PART_FORMATS[target]

    def render(rows: list[Written]) -> Rendered:
        return form.render(rows, names, key, lang, schema)

    failures: list[Failure] = []
    try:
        files, problems = render(rows)
    except MedflatError:
        # Written one by one to find those that fail.
        good = []
        for row in rows:
            document, _ = row
            try:
                render([row])
                good.append(row)
            except MedflatError as error:
                failures.append(failure(document.id, document.place, str(error)))
        rows = good
        files, problems = render(rows)
    return PartFiles(files, sum(len(found) for _, found in rows), problems, failures)


def json_line(row: Written, names: FieldNames) -> bytes:
    """The fields of a document in their order, then its entities, as a line of JSON.

    row (Written): the document and its entities.
    names (FieldNames): of the output.
    RAISES (MedflatError): JSON cannot hold a field.
    """
    document, found = row
    value = {**plain(document.fields), names.entities: [entity.fields() for entity in found]}
    try:
        return f"{json.dumps(value, ensure_ascii=False)}\n".encode()
    except TypeError as error:
        raise MedflatError(f"a field that JSON cannot hold: {error}") from error


def _jsonl(rows: list[Written], names: FieldNames, *_: Any) -> Rendered:
    return {"": b"".join(json_line(row, names) for row in rows)}, []


def _packed(rows: list[Written], names: FieldNames, *_: Any) -> Rendered:
    # Without a time, the same rows give the same bytes; concatenated gzip files are a gzip file.
    return {"": gzip.compress(b"".join(json_line(row, names) for row in rows), mtime=0)}, []


def _parquet(rows: list[Written], names: FieldNames, key: str, lang: str, schema: Any) -> Rendered:
    from .parquet import table_bytes

    return {"": table_bytes(rows, names.entities, schema)}, []


def _corpus_format(name: str, rows: list[Written], names: FieldNames, key: str, lang: str, _: Any) -> Rendered:
    with TemporaryDirectory(prefix="medflat-") as scratch:
        path = Path(scratch) / "part"
        records = (_record(row, names, keeps_scores=name == "docbin") for row in rows)
        problems = write_records(records, path, name, key, lang)
        if path.is_file():
            return {"": path.read_bytes()}, problems
        files = (file for file in sorted(path.rglob("*")) if file.is_file())
        return {file.relative_to(path).as_posix(): file.read_bytes() for file in files}, problems


def _record(row: Written, names: FieldNames, keeps_scores: bool) -> Record:
    document, found = row
    # A string is the record's own identifier; another value stays among the fields too, as it is.
    own = {names.text, names.id} if isinstance(document.id, str) else {names.text}
    return Record(
        text=document.text,
        entities=[_entity(entity, keeps_scores) for entity in found],
        id="" if document.id is None else str(document.id),
        place=document.place,
        meta={name: value for name, value in plain(document.fields).items() if name not in own},
    )


def _entity(found: FoundEntity, keeps_scores: bool) -> Entity:
    score = found.score if keeps_scores else None
    return Entity(found.start, found.end, found.label, found.text, score, dict(found.said or {}))


PART_FORMATS: dict[str, PartFormat] = {
    "jsonl": PartFormat(".jsonl", _jsonl),
    "jsonl.gz": PartFormat(".jsonl.gz", _packed),
    "parquet": PartFormat(".parquet", _parquet),
    "docbin": PartFormat(".spacy", partial(_corpus_format, "docbin")),
    "brat": PartFormat("", partial(_corpus_format, "brat")),
}


def join_parts(paths: Sequence[Path], target: str, output: Path) -> None:
    """Write one file out of all parts, in order, whole or not at all.

    paths (sequence of Path): the parts.
    target (str): a key of `PART_FORMATS`.
    output (Path): the file.
    RAISES (MedflatError): the parts are too large for one DocBin, which is made in memory.
    """
    with replaced_when_done(output, durable=True) as scratch:
        if target == "parquet":
            from .parquet import unified_schema, write_joined

            write_joined(paths, unified_schema(paths), scratch)
        elif target == "docbin":
            _join_docbin(paths, scratch)
        else:
            with scratch.open("wb") as file:
                for path in paths:
                    with path.open("rb") as part:
                        shutil.copyfileobj(part, file, 2**20)


def unify_parts(paths: Sequence[Path], target: str) -> None:
    """Give all Parquet parts the same columns and types. Parts of other formats stay as they are."""
    if target != "parquet":
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
