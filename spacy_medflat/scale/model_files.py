"""The files of a pipeline, and what tells it from others."""

from __future__ import annotations

import hashlib
from pathlib import Path

from spacy.util import get_package_path, is_package

from ..corpus.record import CorpusError


def model_folder(model: str) -> Path:
    """The folder of a pipeline, which is a package or a folder.

    RAISES (CorpusError): There is none.
    """
    path = get_package_path(model) if is_package(model) else Path(model)
    if not path.is_dir() or not any(path.rglob("config.cfg")):
        raise CorpusError(f"no pipeline {model!r}: it is neither an installed package nor a folder with a config.cfg")
    return path


def model_identity(folder: Path) -> tuple[str, int]:
    """A digest of names and contents of all files, and their size in bytes."""
    digest = hashlib.sha256()
    size = 0
    for path in sorted(folder.rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts:
            digest.update(f"{path.relative_to(folder).as_posix()}\0{path.stat().st_size}\0".encode())
            with path.open("rb") as file:
                while block := file.read(2**20):
                    digest.update(block)
                    size += len(block)
    return digest.hexdigest(), size
