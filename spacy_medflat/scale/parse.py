"""Items to documents: where a bad record is told from a good one."""

import base64
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from ..corpus.formats.json_io import parse_json
from ..errors import MedflatError, clipped
from ..files import decode, escaped
from .items import Document, Failure, Item
from .run_settings import FieldNames

# Well below Python's recursion limit, whatever function walks through the fields.
_DEPTH = 100


def parse(item: Item, names: FieldNames) -> Document | Failure:
    """Parse an item: its document, or why it has none."""
    fields: Any = None
    try:
        fields = _PARSERS[item.kind](item, names)
        text = _text_of(fields, names)
        others = {name: value for name, value in fields.items() if name != names.entities}
        return Document(text, others, fields.get(names.id), item.place)
    except MedflatError as error:
        identifier = fields.get(names.id) if isinstance(fields, dict) else None
        return failure(identifier, item.place, str(error))


def failure(identifier: Any, place: str, reason: str) -> Failure:
    """A failure that JSON and UTF-8 can hold.

    identifier (Any): of the text; what JSON cannot hold becomes its `repr`.
    place (str): see `Item.place`.
    reason (str): may begin with the place.
    """
    shown = escaped(identifier) if isinstance(identifier, str) else escaped(repr(plain(identifier)))
    known = identifier if identifier is None or isinstance(identifier, (bool, int)) else shown
    return Failure(known, place, escaped(reason.removeprefix(f"{place}: ")))


def _text_of(fields: Any, names: FieldNames) -> str:
    if not isinstance(fields, dict):
        raise MedflatError(f"not an object with fields, but {clipped(fields)}")
    if names.text not in fields:
        raise MedflatError(f"no field {names.text!r}; it has {clipped(', '.join(map(str, fields)))}")
    text = fields[names.text]
    if not isinstance(text, str):
        raise MedflatError(f"field {names.text!r} must be a string, but it is {clipped(text)}")
    # Texts that are not annotated yet may have an empty one, as `convert` writes it.
    if fields.get(names.entities) not in (None, []):
        raise MedflatError(f"it has a field {names.entities!r} already; name another with --entities-field")
    _check(fields)
    return text


def _check(value: Any, depth: int = 0) -> None:
    """RAISES (MedflatError): not every output could hold the value."""
    if depth > _DEPTH:
        raise MedflatError(f"fields inside fields, more than {_DEPTH} deep")
    if isinstance(value, str):
        try:
            value.encode("utf-8")
        except UnicodeEncodeError as error:
            near = clipped(value[max(error.start - 10, 0) : error.start + 1])
            raise MedflatError(f"bytes that are not UTF-8, or half a surrogate pair, at {near}") from error
    elif isinstance(value, dict):
        for key, inner in value.items():
            _check(key, depth + 1)
            _check(inner, depth + 1)
    elif isinstance(value, (list, tuple)):
        for inner in value:
            _check(inner, depth + 1)


def _jsonl(item: Item, names: FieldNames) -> Any:
    return parse_json(decode(item.raw, item.name, item.number), item.name, item.number)


def _line(item: Item, names: FieldNames) -> Any:
    return {names.text: decode(item.raw, item.name, item.number)}


def _whole_file(item: Item, names: FieldNames) -> Any:
    identifier, data = item.raw
    return {names.id: identifier, names.text: decode(data, item.name)}


def _docbin(item: Item, names: FieldNames) -> Any:
    identifier, text, meta = item.raw
    return {**({names.id: identifier} if identifier else {}), names.text: text, **meta}


def _as_it_is(item: Item, names: FieldNames) -> Any:
    return item.raw


def _broken(item: Item, names: FieldNames) -> Any:
    raise MedflatError(item.raw)


_PARSERS: dict[str, Callable[[Item, FieldNames], Any]] = {
    "jsonl": _jsonl,
    "lines": _line,
    "csv": _as_it_is,
    "record": _as_it_is,
    "text": _whole_file,
    "docbin": _docbin,
    "broken": _broken,
}


def plain(value: Any) -> Any:
    """The value as JSON can hold it: dates and times in ISO form, decimals as strings, bytes in base 64."""
    if isinstance(value, dict):
        return {str(key): plain(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(inner) for inner in value]
    if isinstance(value, (datetime, date, time)):
        return value.isoformat()
    if isinstance(value, bytes):
        return base64.b64encode(value).decode("ascii")
    return str(value) if isinstance(value, (Decimal, UUID, timedelta)) else value
