"""The config of a row: a file with settings removed and overridden."""

from collections.abc import Iterable, Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any

from spacy.util import load_config
from thinc.api import Config

from ..errors import ExperimentError, clipped
from .matrix import Row


def row_config(row: Row, seed: int, log: Path) -> Config:
    """The config that a row is trained with, not interpolated.

    row (Row): what it overrides.
    seed (int): of the run.
    log (Path): JSON lines, which the logger of the config writes.
    RAISES (ExperimentError): see `overridden`, or the row's config cannot be read.
    """
    extra: dict[str, Any] = {
        "system.seed": seed,
        "training.logger": {
            "@loggers": "spacy_medflat.ConsoleLogger.v1",
            "progress_bar": None,
            "console_output": True,
            "output_file": str(log),
        },
    }
    if row.max_length:
        extra["corpora.train.max_length"] = row.max_length
    try:
        base = load_config(row.config, interpolate=False)
    except (OSError, ValueError) as error:
        raise ExperimentError(f"row {row.name}: the config {row.config} cannot be read: {error}") from error
    try:
        return overridden(base, {**row.overrides, **extra}, row.remove)
    except ExperimentError as error:
        raise ExperimentError(f"row {row.name}: {error}") from error


def overridden(config: Config, overrides: Mapping[str, Any], remove: Iterable[str] = ()) -> Config:
    """A copy of a config with settings removed, then others set. Unlike with spaCy's overrides, they may be new.

    config (Config): not interpolated.
    overrides (mapping): values by dotted names; a mapping replaces a section as a whole.
    remove (iterable of str): dotted names.
    RAISES (ExperimentError): a setting to remove is not there, or one to set lies in something that is no section.
    """
    result = config.copy()
    for name in remove:
        section, last = _section(result, name, make=False)
        if last not in section:
            raise ExperimentError(f"{name} cannot be removed, it is not in the config")
        del section[last]
    for name, value in overrides.items():
        section, last = _section(result, name, make=True)
        section[last] = deepcopy(value)
    return result


def _section(config: Config, name: str, *, make: bool) -> tuple[dict[str, Any], str]:
    *parents, last = name.split(".")
    section: Any = config
    for depth, parent in enumerate(parents, 1):
        section = section.setdefault(parent, {}) if make else section.get(parent, {})
        if not isinstance(section, dict):
            place = ".".join(parents[:depth])
            raise ExperimentError(f"{name} cannot be set, {place} is {clipped(section)} and no section")
    return section, last
