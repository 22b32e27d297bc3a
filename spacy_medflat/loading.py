"""The files of a pipeline, and what tells it from others."""

import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import spacy
from spacy.language import Language
from spacy.util import get_package_path, is_package, load_config

from .errors import MedflatError, clipped


def model_folder(model: str) -> Path:
    """The folder of a pipeline, which is a package or a folder.

    RAISES (MedflatError): There is none.
    """
    path = get_package_path(model) if is_package(model) else Path(model)
    if not (path / "config.cfg").exists() and not (is_package(model) and any(path.glob("*/config.cfg"))):
        raise MedflatError(f"no pipeline {model!r}: it is neither an installed package nor a folder with a config.cfg")
    return path


def load_model(model: str, mixed_precision: bool | None = None) -> Language:
    """Load a pipeline by package name or folder.

    mixed_precision: Compute so; None for what the pipeline says.
    RAISES (MedflatError): There is none, it cannot be loaded, or no component knows mixed precision.
    """
    folder = model_folder(model)
    config = {} if mixed_precision is None else precision_settings(folder, mixed=mixed_precision)
    try:
        return spacy.load(model, config=config)
    except ValueError as error:
        reason = str(error).split(". ")[0]
        raise MedflatError(
            f"the pipeline {model!r} cannot be loaded: {clipped(reason, 300)}. It is damaged, of another version, or "
            "needs functions of yours (--code)"
        ) from error


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


def precision_settings(folder: Path, *, mixed: bool) -> dict[str, bool]:
    """What `spacy.load` needs as `config` to load a pipeline in mixed precision, or without: its dotted settings.

    RAISES (MedflatError): No component has the setting.
    """
    # Pipelines inside of a pipeline have configs of their own, deeper down.
    path = min(folder.rglob("config.cfg"), key=lambda path: len(path.parts))
    components = load_config(path, interpolate=False)["components"]
    settings = dict.fromkeys(_places(components, "components", "mixed_precision"), mixed)
    if not settings:
        raise MedflatError(f"{folder}: none of its components ({', '.join(components)}) has a mixed precision")
    return settings


def _places(section: Mapping[str, Any], place: str, name: str) -> Iterator[str]:
    for key, value in section.items():
        if isinstance(value, Mapping):
            yield from _places(value, f"{place}.{key}", name)
        elif key == name:
            yield f"{place}.{key}"
