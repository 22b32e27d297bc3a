"""Writing the JSON formats: records as JSON lines or as an array, with their identifiers and extra fields."""

from __future__ import annotations

# The standard module, not srsly, for the reasons given in jsonread.
import json
from collections.abc import Callable, Collection, Iterable, Iterator
from pathlib import Path
from typing import Any

from .record import Problem, Record, clipped, lost_scores
from .textio import open_for_writing

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
