"""Corrections as a file of a format that annotation tools read."""

import io
import tempfile
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from ..corpus.formats.registry import write_records
from ..corpus.record import Entity, Record
from .schema import RecordFields, SpanFields


class ExportForm(NamedTuple):
    """A format that is offered.

    suffix (str): of the file.
    media_type (str): of its contents.
    """

    suffix: str
    media_type: str


EXPORTS = {
    "jsonl": ExportForm("jsonl", "application/jsonl"),
    "doccano": ExportForm("jsonl", "application/jsonl"),
    "labelstudio": ExportForm("json", "application/json"),
    "brat": ExportForm("zip", "application/zip"),
}


class Export(NamedTuple):
    """A file that is made.

    data (bytes): its contents.
    left_out (int): how many things the format could not hold.
    """

    data: bytes
    left_out: int


def export(records: Iterable[RecordFields], form: str) -> Export:
    """Make the file of some records, in a folder that is gone afterwards.

    form (str): a key of `EXPORTS`.
    RAISES (MedflatError): the format cannot hold a record at all.
    """
    made = [to_record(fields, number) for number, fields in enumerate(records, 1)]
    with tempfile.TemporaryDirectory(prefix="medflat-") as scratch:
        path = Path(scratch) / "corrections"
        problems = write_records(made, path, form)
        return Export(_zipped(path) if path.is_dir() else path.read_bytes(), len(problems))


def to_record(fields: RecordFields, number: int = 0) -> Record:
    """The record that a user corrected.

    number (int): counts from 1, for messages.
    """
    return Record(
        text=fields.text,
        entities=[_entity(span) for span in fields.entities],
        id=fields.id or "",
        place=f"record {number}",
        unknown=[_entity(span) for span in fields.unknown],
    )


def _entity(span: SpanFields) -> Entity:
    return Entity(span.start, span.end, span.label)


def _zipped(folder: Path) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                # Without a time, the same records give the same bytes.
                name = zipfile.ZipInfo(path.relative_to(folder).as_posix())
                archive.writestr(name, path.read_bytes(), zipfile.ZIP_DEFLATED)
    return packed.getvalue()
