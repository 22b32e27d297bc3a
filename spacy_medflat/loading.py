"""Pipelines by package name or folder: loading one, its component that finds spans, and a digest of its files."""

import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import spacy
from spacy.language import Language
from spacy.util import get_package_path, is_package, load_config

from ._internals import import_code
from .errors import MedflatError, clipped
from .ner.span_finder import SpanFinder
from .runtime import use_device


def is_pipeline(name: str) -> bool:
    """Whether this is the name of an installed package, or a folder with a pipeline."""
    return is_package(name) or (Path(name) / "config.cfg").is_file()


def model_folder(model: str) -> Path:
    """The folder of a pipeline.

    model (str): name of an installed package, or a folder.
    RAISES (MedflatError): there is none.
    """
    path = get_package_path(model) if is_package(model) else Path(model)
    if not (path / "config.cfg").exists() and not (is_package(model) and any(path.glob("*/config.cfg"))):
        raise MedflatError(f"no pipeline {model!r}: it is neither an installed package nor a folder with a config.cfg")
    return path


def load_model(
    model: str, *, gpu_id: int = -1, code: Path | None = None, mixed_precision: bool | None = None
) -> Language:
    """Load a pipeline.

    model (str): name of an installed package, or a folder.
    gpu_id (int): the GPU to use, -1 for the CPU.
    code (Path or None): Python file with functions that the pipeline needs.
    mixed_precision (bool or None): compute in half precision; None for what the config of the pipeline says.
    RAISES (MedflatError): no such GPU or pipeline, it cannot be loaded, or no component has a mixed precision.
    """
    use_device(gpu_id)
    import_code(code)
    folder = model_folder(model)
    config = {} if mixed_precision is None else _precision_settings(folder, mixed_precision)
    try:
        return spacy.load(model, config=config)
    except ValueError as error:
        reason = str(error).split(". ")[0]
        raise MedflatError(
            f"the pipeline {model!r} cannot be loaded: {clipped(reason, 300)}. It is damaged, of another version, or "
            "needs functions of yours (--code)"
        ) from error


def span_finders(nlp: Language) -> list[SpanFinder]:
    """The components of a pipeline that find nested spans, in their order."""
    return [pipe for _, pipe in nlp.pipeline if isinstance(pipe, SpanFinder)]


def first_span_finder(nlp: Language, model: object) -> SpanFinder:
    """The first component of a pipeline that finds nested spans.

    nlp (Language): the pipeline.
    model (object): name or folder of the pipeline, for the message.
    RAISES (MedflatError): there is none.
    """
    for finder in span_finders(nlp):
        return finder
    raise MedflatError(
        f"the pipeline {str(model)!r} has no 'medflat_ner' component and no 'medflat_ensemble'; "
        f"it has {', '.join(nlp.pipe_names)}"
    )


def model_identity(folder: Path) -> tuple[str, int]:
    """A SHA-256 digest of names and contents of all files in a folder, and their size in bytes."""
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


def _precision_settings(folder: Path, mixed: bool) -> dict[str, bool]:
    """Every setting `mixed_precision` in the config of a pipeline, dotted, with a new value.

    RAISES (MedflatError): there is none.
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
