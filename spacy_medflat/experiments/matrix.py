"""The file that declares a matrix of experiments: rows of config overrides, each trained with several seeds."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated, Any, Literal

import srsly
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ..errors import ExperimentError, first_problem

GPU = "gpu"
# Names with a dot, such as ${paths.train}, are variables of spaCy's config and stay as they are.
_VARIABLE = re.compile(r"\$\{(\w+)\}")

Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]*$")]
Seed = Annotated[int, Field(ge=0)]
Scored = Literal["best", "last"]


class _Settings(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    config: str | None = None
    overrides: dict[str, Any] = {}
    remove: list[str] = []
    seeds: list[Seed] | None = None
    needs: list[str] = []
    max_length: Annotated[int, Field(ge=0)] | None = None
    scored: Scored | None = None


class _Row(_Settings):
    name: Name
    title: str = ""
    extends: str | None = None
    against: str | None = None


class _Matrix(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    baseline: str
    variables: dict[str, Any] = {}
    defaults: _Settings = _Settings()
    rows: Annotated[list[_Row], Field(min_length=1)]


@dataclass(frozen=True)
class Row:
    """One row, everything resolved.

    name, title (str): its name, and a description.
    config (Path): the config file it starts from.
    overrides (dict): dotted settings and their values, a section as a mapping.
    remove (tuple of str): dotted settings that are removed before.
    seeds (tuple of int): each is a run.
    max_length (int): texts are cut after so many characters, in training and in prediction; 0 for whole texts.
    against (str): the row it is compared with.
    missing (str): why it cannot be run here; empty if it can.
    scored (str): which pipeline is scored, the best on dev or the last one.
    settings (dict): the variables that were given in place of the matrix's own.
    """

    name: str
    title: str
    config: Path
    overrides: dict[str, Any]
    remove: tuple[str, ...]
    seeds: tuple[int, ...]
    max_length: int
    against: str
    missing: str = ""
    scored: Scored = "best"
    settings: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Matrix:
    """The rows of a file in their order, and the row that the others are compared with.

    path (Path): the file.
    baseline (str): the name of that row.
    rows (list of Row): all of them.
    variables (list of str): names of those that the file has no value for.
    """

    path: Path
    baseline: str
    rows: list[Row]
    variables: list[str] = field(default_factory=list)

    def select(self, names: Iterable[str] | None, seeds: Iterable[int] | None) -> list[Row]:
        """Some of the rows.

        names (iterable of str or None): their names; None for all.
        seeds (iterable of int or None): seeds of each in place of its own.
        RAISES (ExperimentError): there is no row of a name.
        """
        chosen = None if names is None else set(names)
        if chosen is not None and (unknown := sorted(chosen - {row.name for row in self.rows})):
            known = ", ".join(row.name for row in self.rows)
            raise ExperimentError(f"{self.path}: no row {', '.join(unknown)}; there are {known}")
        rows = [row for row in self.rows if chosen is None or row.name in chosen]
        return rows if seeds is None else [replace(row, seeds=tuple(seeds)) for row in rows]


def read_matrix(path: Path, variables: Mapping[str, Any], *, has_gpu: bool) -> Matrix:
    """Read a matrix (YAML) and put the variables into its rows.

    A row inherits from the row it `extends`, and that from `defaults`: `overrides`, `remove` and `needs` are added to,
    other settings replaced. `${name}` in a value is the variable of that name, given here or in the file's `variables`.
    A row that has a variable without a value, or needs `gpu` where there is none, says so in `missing`.

    path (Path): the file.
    variables (mapping): values by name.
    has_gpu (bool): whether rows can be run that need a GPU.
    RAISES (ExperimentError): not YAML, not of this shape, a name that is missing or there twice, rows that extend each
        other, or a variable that no row has.
    """
    parsed = _parse(path)
    rows = {row.name: row for row in parsed.rows}
    if len(rows) < len(parsed.rows):
        names = [row.name for row in parsed.rows]
        raise ExperimentError(f"{path}: two rows {next(name for name in names if names.count(name) > 1)!r}")
    for kind, name in [("baseline", parsed.baseline), *((f"against of {r.name}", r.against) for r in parsed.rows)]:
        if name is not None and name not in rows:
            raise ExperimentError(f"{path}: {kind} is {name!r}, but the rows are {', '.join(rows)}")
    merged = {name: _merged(path, parsed.defaults, _chain(path, rows, name)) for name in rows}
    known = {name for settings in merged.values() for name in _needed(settings)} | set(parsed.variables)
    if unknown := sorted(set(variables) - known):
        raise ExperimentError(f"{path}: no variable {', '.join(unknown)}; there are {', '.join(sorted(known))}")
    values = {**parsed.variables, **variables}
    settings = {name: variables[name] for name in sorted(variables.keys() & parsed.variables.keys())}
    resolved = [
        replace(_resolve(path, row, merged[row.name], values, parsed.baseline, has_gpu), settings=settings)
        for row in parsed.rows
    ]
    return Matrix(path, parsed.baseline, resolved, sorted(known - set(parsed.variables)))


def _parse(path: Path) -> _Matrix:
    text = path.read_text(encoding="utf-8")
    try:
        return _Matrix.model_validate(srsly.yaml_loads(text))
    except ValidationError as error:
        raise ExperimentError(f"{path}: {first_problem(error)}") from error
    except (ValueError, TypeError) as error:
        raise ExperimentError(f"{path}: not YAML: {error}") from error


def _chain(path: Path, rows: Mapping[str, _Row], name: str) -> list[_Row]:
    """The row and those it extends, the furthest first."""
    chain: list[_Row] = []
    following: str | None = name
    while following is not None:
        if following not in rows:
            raise ExperimentError(f"{path}: row {chain[0].name!r} extends {following!r}, which is no row")
        if any(row.name == following for row in chain):
            raise ExperimentError(f"{path}: the row {following!r} extends itself")
        chain.insert(0, rows[following])
        following = rows[following].extends
    return chain


def _merged(path: Path, defaults: _Settings, chain: list[_Row]) -> _Settings:
    layers = [defaults, *chain]
    config, seeds, max_length, scored = (
        next((value for layer in reversed(layers) if (value := getattr(layer, name)) is not None), None)
        for name in ("config", "seeds", "max_length", "scored")
    )
    if config is None:
        raise ExperimentError(f"{path}: row {chain[-1].name!r} has no config; name one there or in defaults")
    return _Settings(
        config=config,
        overrides=_added(layer.overrides for layer in layers),
        remove=list(dict.fromkeys(key for layer in layers for key in layer.remove)),
        seeds=seeds or [0],
        needs=list(dict.fromkeys(need for layer in layers for need in layer.needs)),
        max_length=max_length or 0,
        scored=scored or "best",
    )


def _added(layers: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """Later layers win; one that sets a section drops what earlier ones set inside it."""
    result: dict[str, Any] = {}
    for layer in layers:
        for key, value in layer.items():
            result = {name: old for name, old in result.items() if not name.startswith(f"{key}.")}
            result[key] = value
    return result


def _needed(settings: _Settings) -> list[str]:
    """The variables of a row: those in its overrides, and those it names."""
    return [*_variables_in(settings.overrides), *(need for need in settings.needs if need != GPU)]


def _variables_in(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [name for item in value.values() for name in _variables_in(item)]
    if isinstance(value, list):
        return [name for item in value for name in _variables_in(item)]
    return _VARIABLE.findall(value) if isinstance(value, str) else []


def _resolve(
    path: Path, row: _Row, settings: _Settings, values: Mapping[str, Any], baseline: str, has_gpu: bool
) -> Row:
    absent = sorted({name for name in _needed(settings) if name not in values})
    lacking = [*absent, *(["a GPU"] if GPU in settings.needs and not has_gpu else [])]
    return Row(
        row.name,
        row.title or row.name,
        path.parent / str(settings.config),
        settings.overrides if absent else _filled(settings.overrides, values),
        tuple(settings.remove),
        tuple(dict.fromkeys(settings.seeds or ())),
        settings.max_length or 0,
        row.against or baseline,
        f"needs {', '.join(lacking)}" if lacking else "",
        settings.scored or "best",
    )


def _filled(value: Any, values: Mapping[str, Any]) -> Any:
    """The value with its variables replaced; a string that is nothing but a variable becomes what that holds."""
    if isinstance(value, dict):
        return {key: _filled(item, values) for key, item in value.items()}
    if isinstance(value, list):
        return [_filled(item, values) for item in value]
    if not isinstance(value, str):
        return value
    if whole := _VARIABLE.fullmatch(value):
        return values[whole[1]]
    return _VARIABLE.sub(lambda found: str(values[found[1]]), value)
