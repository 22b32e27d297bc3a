"""The parts of a complete run as one file, or as files that agree."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

from spacy.tokens import DocBin

from ..corpus.atomic import replaced_when_done
from ..corpus.record import CorpusError


def join_parts(paths: Sequence[Path], target_format: str, output: Path) -> None:
    """Write one file out of all parts, in order, whole or not at all.

    RAISES (CorpusError): The parts are too large for one DocBin, which is made in memory.
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
        raise CorpusError(f"{output}: too large for one DocBin; name a folder as output") from error
