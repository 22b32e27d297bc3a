"""JSON arrays and lines of objects: reading with a schema, writing with identifiers and extra fields."""

import json
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, InstanceOf, ValidationError

from ...errors import CorpusError, clipped
from ...files import BOM, iter_lines, open_for_writing, read_text
from ..record import Problem, Record, lost_scores

# The standard module, not srsly: its ujson alters floats in their last digits, refuses large integers that a
# `meta` field may hold, and does not say on which line a file is broken.


Text = InstanceOf[str]
"""A string that may hold half a surrogate pair, as JSON allows; pydantic's `str` would refuse the file."""

ModelT = TypeVar("ModelT", bound=BaseModel)


class OpenModel(BaseModel):
    """Base of the schemas: unknown fields are kept in `model_extra`."""

    model_config = ConfigDict(extra="allow")


def read_objects(path: Path) -> Iterator[tuple[str, Any]]:
    """Place and value of every element of a JSON array, or of every non-blank line of a JSON-lines file.

    An array is held in memory as a whole, JSON lines one at a time. A byte order mark is passed over.
    RAISES (CorpusError): Not UTF-8, not JSON, or a `.json` file with nothing in it.
    """
    if _is_array(path):
        for number, element in enumerate(parse_json(read_text(path).removeprefix(BOM), path.name), 1):
            yield f"{path.name} record {number}", element
        return
    empty = True
    for number, line in iter_lines(path):
        line = line.removeprefix(BOM) if number == 1 else line
        if line.strip():
            empty = False
            yield f"{path.name} line {number}", parse_json(line, path.name, number)
    if empty and path.suffix == ".json":
        raise CorpusError(f"{path.name}: the file is empty, expected a JSON array; was it copied completely?")


def _is_array(path: Path) -> bool:
    with path.open("rb") as file:
        for line in file:
            start = line.removeprefix(BOM.encode()).lstrip()
            if start:
                return start.startswith(b"[")
    return False


def parse_json(text: str, name: str, line: int | None = None) -> Any:
    """The value of a JSON text; `line` is its line number if it is only one line of the file.

    RAISES (CorpusError): If it is not JSON, with its place.
    """
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        cut_off = error.pos >= len(text.rstrip()) or error.msg.startswith("Unterminated")
        near = clipped(text[error.pos : error.pos + 20])
        hint = "is it cut off?" if cut_off else f"at {near}; expected a JSON array or one JSON object a line"
        raise CorpusError(
            f"{name} line {line or error.lineno} column {error.colno}: not JSON: {error.msg.lower()}, {hint}"
        ) from error
    except (ValueError, RecursionError) as error:
        raise CorpusError(f"{name} line {line or 1}: JSON that cannot be held: {error}") from error


def validated(model: type[ModelT], raw: Any, place: str, format_name: str) -> ModelT:
    """`raw` as an instance of its schema.

    RAISES (CorpusError): The first field that does not fit, with its value.
    """
    try:
        return model.model_validate(raw)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        field = ".".join(map(str, first["loc"])) or "record"
        got = "" if first["type"] == "missing" else f", got {clipped(first['input'])}"
        raise CorpusError(
            f"{place}: not a {format_name} record: {field}: {first['msg'].lower()}{got}; is the file in another format?"
        ) from error


def split_id(extra: dict[str, Any] | None) -> tuple[str, dict[str, Any]]:
    """The record's identifier and its other fields.

    An identifier that is not a string stays in the fields too, so that it is written back unchanged.
    """
    meta = dict(extra or {})
    raw = meta.get("id")
    if isinstance(raw, str):
        return meta.pop("id"), meta
    return ("" if raw is None else str(raw)), meta


def ignored_fields(entities: Iterable[BaseModel], place: str) -> list[Problem]:
    """One problem for each extra field that the entities of a record carry."""
    counts = Counter(key for entity in entities for key in entity.model_extra or ())
    return [
        Problem("ignored_annotation", place, f"entity field {clipped(key)} ×{count}")
        for key, count in sorted(counts.items())
    ]


# The standard module, not srsly, for the reasons given in jsonread.


Fields = dict[str, Any]


def write_records(
    records: Iterable[Record],
    path: Path,
    fields_of: Callable[[Record], Fields],
    *,
    reserved: Collection[str] = (),
    array: bool = False,
    keeps_scores: bool = False,
) -> list[Problem]:
    """Write each record as an object: identifier, the format's own fields, then `meta`.

    A field of `meta` whose name the format uses itself (an own one, or one of `reserved`) is left out and
    reported, as are scores unless the format `keeps_scores`. Records are written as they come, one a line, as JSON
    lines or as an array; every character stands as itself.
    RETURNS (list[Problem]): What was left out.
    """
    problems: list[Problem] = []

    def objects() -> Iterator[str]:
        for record in records:
            own = fields_of(record)
            taken = {*own, *reserved}
            problems.extend(_clashes(record, taken))
            if not keeps_scores:
                problems.extend(lost_scores(record))
            identifier = {"id": record.id} if record.id else {}
            kept = {key: value for key, value in record.meta.items() if key not in taken}
            yield json.dumps({**identifier, **own, **kept}, ensure_ascii=False)

    with open_for_writing(path) as file:
        file.writelines(_array(objects()) if array else (f"{line}\n" for line in objects()))
    return problems


def _clashes(record: Record, taken: Collection[str]) -> list[Problem]:
    return [
        Problem("dropped_meta", record.place, f"field {clipped(key)}: the format uses this name itself")
        for key in record.meta
        if key in taken
    ]


def _array(elements: Iterable[str]) -> Iterator[str]:
    separator = "["
    for element in elements:
        yield f"{separator}\n{element}"
        separator = ","
    yield "[]\n" if separator == "[" else "\n]\n"
