"""JSON arrays and JSON lines of records: reading with a schema, writing with identifiers and extra fields."""

import json
from collections.abc import Callable, Collection, Iterable, Iterator
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, InstanceOf, ValidationError

from ...errors import CorpusError, MedflatError, clipped, first_problem
from ...files import BOM, open_for_writing, read_text
from ..record import Entity, OnSkip, Problem, Record, lost_entity_fields, lost_scores, lost_uncertainty, skip_unreadable
from .fields import RELATED, TITLES, check_all_read, json_format
from .lines import read_lines

# The standard module, not srsly: its ujson alters floats in their last digits, refuses large integers that a
# `meta` field may hold, and does not say on which line a file is broken.

Text = InstanceOf[str]
"""A string that may hold half a surrogate pair, as JSON allows; pydantic's `str` would refuse the file."""

Fields = dict[str, Any]


class OpenModel(BaseModel):
    """Base of the schemas: unknown fields are kept in `model_extra`."""

    model_config = ConfigDict(extra="allow")


class TextModel(OpenModel):
    """What the records of every JSON format have."""

    text: Text


ModelT = TypeVar("ModelT", bound=BaseModel)
RecordT = TypeVar("RecordT", bound=TextModel)


def read_objects(path: Path, on_skip: OnSkip | None = None) -> Iterator[tuple[str, Any]]:
    """Read every element of a JSON array, or every non-blank line of a JSON-lines file.

    An array is held in memory as a whole, JSON lines one at a time. A byte order mark is skipped.

    on_skip (callable or None): takes a problem for each line that cannot be read; None to raise an error.
    YIELDS (tuple of str and Any): place and value of an element.
    RAISES (MedflatError): not UTF-8, not JSON, or a `.json` file with nothing in it.
    """
    if _is_array(path):
        for number, element in enumerate(_parse_array(path), 1):
            yield f"{path.name} record {number}", element
        return
    empty = True
    for number, line in read_lines(path):
        place = f"{path.name} line {number}"
        try:
            if isinstance(line, MedflatError):
                raise line
            line = line.removeprefix(BOM) if number == 1 else line
            if not line.strip():
                continue
            empty = False
            element = parse_json(line, path.name, number)
        except MedflatError as error:
            empty = False
            skip_unreadable(on_skip, place, error)
            continue
        yield place, element
    if empty and path.suffix == ".json":
        raise CorpusError(f"{path.name}: the file is empty, expected a JSON array; was it copied completely?")


def _parse_array(path: Path) -> Any:
    try:
        return parse_json(read_text(path).removeprefix(BOM), path.name)
    except MedflatError as error:
        hint = "one JSON array is read as a whole or not at all, one object a line is not"
        raise CorpusError(f"{error}; {hint}") from error


def _is_array(path: Path) -> bool:
    with path.open("rb") as file:
        starts = (line.removeprefix(BOM.encode()).lstrip()[:1] for line in file)
        return next(filter(None, starts), b"") == b"["


def parse_json(text: str, name: str, line: int | None = None) -> Any:
    """Parse a JSON text.

    name (str): name of the file, for messages.
    line (int or None): the line number of the text, if it is one line of the file.
    RETURNS (Any): the value.
    RAISES (CorpusError): the text is not JSON.
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


def read_parsed(
    path: Path, schema: type[RecordT], format_name: str, on_skip: OnSkip | None = None, read: str = "entities"
) -> Iterator[tuple[RecordT, Record]]:
    """Read the objects of a file by a schema.

    schema (type of TextModel): the format's record.
    format_name (str): what messages call the format.
    on_skip (callable or None): takes a problem for each object that cannot be read; None to raise an error.
    read (str): the field with the annotations, for messages.
    YIELDS (tuple of TextModel and Record): the object, and a record with all but its entities.
    RAISES (MedflatError): not UTF-8, not JSON, an object that does not fit the schema, or a field that looks like
        annotations and is not in it.
    """
    for place, raw in read_objects(path, on_skip):
        parsed = parse_object(raw, schema, format_name, place, on_skip)
        if parsed is None:
            continue
        identifier, meta = split_id(parsed.model_extra)
        items = [item for value in dict(parsed).values() if isinstance(value, list) for item in value]
        for fields in (meta, *(item.model_extra for item in items if isinstance(item, OpenModel))):
            check_all_read(fields or {}, read, format_name, place)
        related = [f"{name} ×{len(meta[name])}" for name in RELATED if isinstance(meta.get(name), list) and meta[name]]
        problems = [Problem("ignored_annotation", place, detail) for detail in related]
        yield parsed, Record(parsed.text, [], identifier, place, meta, problems)


def parse_object(raw: Any, schema: type[ModelT], format_name: str, place: str, on_skip: OnSkip | None) -> ModelT | None:
    """Read one object by a schema; see `read_parsed`.

    RETURNS (model or None): None if the object does not fit and was reported.
    RAISES (CorpusError): it does not fit and nothing takes reports, or its fields are those of another format.
    """
    try:
        return schema.model_validate(raw)
    except ValidationError as error:
        message = f"{place}: not a {format_name} record: {first_problem(error)}; is the file in another format?"
        looks_like = json_format(raw)
        if looks_like and TITLES[looks_like] != format_name:
            raise CorpusError(f"{message} It looks like {looks_like}; name it with --from") from error
        skip_unreadable(on_skip, place, CorpusError(message))
        return None


def split_id(extra: Fields | None) -> tuple[str, Fields]:
    """Take the identifier out of a record's extra fields.

    An identifier that is not a string stays in the fields too, so that it is written back unchanged.

    RETURNS (tuple of str and dict): the identifier, empty without one, and the other fields.
    """
    meta = dict(extra or {})
    raw = meta.get("id")
    if isinstance(raw, str):
        return meta.pop("id"), meta
    return ("" if raw is None else str(raw)), meta


def write_objects(
    records: Iterable[Record],
    path: Path,
    fields_of: Callable[[Record], Fields],
    *,
    reserved: Collection[str] = (),
    entity_names: Collection[str],
    array: bool = False,
    keeps_scores: bool = False,
    keeps_uncertainty: bool = False,
    wrap: Callable[[Record, Fields], Fields] | None = None,
) -> list[Problem]:
    """Write each record as an object: identifier, the format's own fields, then `meta`.

    Records are written as they come, one a line, and every character stands as itself. A field of `meta` whose name
    the format uses is left out.

    fields_of (callable): gives the format's own fields of a record.
    reserved (collection of str): more names that the format uses.
    entity_names (collection of str): names that the format uses in an entity; others of its fields stand beside them.
    array (bool): write a JSON array instead of JSON lines.
    keeps_scores (bool): whether the own fields have the scores.
    keeps_uncertainty (bool): whether they have the unknown spans and the weight.
    wrap (callable or None): makes the object that is written of a record and its fields.
    RETURNS (list of Problem): what was left out.
    """
    problems: list[Problem] = []

    def objects() -> Iterator[str]:
        for record in records:
            own = fields_of(record)
            taken = {*own, *reserved}
            clashes = (f"field {clipped(key)}: the format uses this name itself" for key in record.meta if key in taken)
            problems.extend(Problem("dropped_meta", record.place, detail) for detail in clashes)
            if not keeps_scores:
                problems.extend(lost_scores(record))
            if not keeps_uncertainty:
                problems.extend(lost_uncertainty(record))
            problems.extend(lost_entity_fields(record, entity_names))
            identifier = {"id": record.id} if record.id else {}
            kept = {key: value for key, value in record.meta.items() if key not in taken}
            fields = {**identifier, **own, **kept}
            yield json.dumps(wrap(record, fields) if wrap else fields, ensure_ascii=False)

    with open_for_writing(path) as file:
        file.writelines(_array(objects()) if array else (f"{line}\n" for line in objects()))
    return problems


def with_meta(entity: Entity, own: Fields) -> Fields:
    """The format's own fields of an entity, then its other ones."""
    return {**own, **{key: value for key, value in entity.meta.items() if key not in own}}


def _array(elements: Iterable[str]) -> Iterator[str]:
    separator = "["
    for element in elements:
        yield f"{separator}\n{element}"
        separator = ","
    yield "[]\n" if separator == "[" else "\n]\n"
