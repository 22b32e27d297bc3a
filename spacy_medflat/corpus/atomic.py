"""Outputs that appear whole or not at all."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from .record import CorpusError


@contextmanager
def replaced_when_done(target: Path, force: bool = False, durable: bool = False) -> Iterator[Path]:
    """A path of the same name to write to; it takes the target's place if the block succeeds.

    Missing parent folders of the target are made. After an error the target is as it was.
    force: Replace a folder with something in it, too.
    durable: Wait until the disk has it, so that it outlives a power failure.
    RAISES (CorpusError): If the target is a folder with something in it, without `force`, or a folder where a file is
        written, or the other way round.
    """
    if not force and target.is_dir() and any(target.iterdir()):
        raise CorpusError(f"{target}: this folder is not empty; give a new or an empty one")
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".medflat-", dir=target.parent) as folder:
        scratch = Path(folder) / target.name
        yield scratch
        if durable:
            for path in [*scratch.rglob("*"), scratch] if scratch.is_dir() else [scratch]:
                _flush(path)
        try:
            if scratch.is_dir() and target.is_dir():
                target.replace(Path(folder) / "replaced")
            scratch.replace(target)
        except (IsADirectoryError, NotADirectoryError) as error:
            there, wanted = ("folder", "file") if target.is_dir() else ("file", "folder")
            message = f"{target}: there is a {there} of this name, and a {wanted} is to be written; give another name"
            raise CorpusError(message) from error
    if durable:
        _flush(target.parent)


def _flush(path: Path) -> None:
    # Windows cannot open folders, and needs no flush of them.
    if os.name == "nt" and path.is_dir():
        return
    descriptor = os.open(path, os.O_RDWR if os.name == "nt" else os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_json(path: Path, value: dict[str, Any], durable: bool = False) -> None:
    """Write an indented JSON file, whole or not at all; `durable` as above."""
    with replaced_when_done(path, durable=durable) as scratch:
        # srsly.write_json would escape every Chinese character.
        text = json.dumps(value, ensure_ascii=False, indent=2)
        scratch.write_text(f"{text}\n", encoding="utf-8", newline="\n")
