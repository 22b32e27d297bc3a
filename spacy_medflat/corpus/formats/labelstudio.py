"""Label Studio's JSON export: tasks whose annotations and predictions are lists of regions.

What a task has beside its text and the regions that are read is kept under `meta["labelstudio"]` as it is, without
`data`, and with `rest` in place of `result` in the annotation or prediction that was read. The other fields of `data`
are those of the record.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import groupby
from pathlib import Path
from typing import Any

from pydantic import Field, StrictFloat, StrictInt

from ...errors import clipped
from ..record import Entity, OnSkip, Problem, Record
from .fields import check_all_read
from .json_io import Fields, OpenModel, Text, TextModel, parse_object, read_objects, split_id, write_objects
from .utf16 import characters_of

KEPT = "labelstudio"
"""The field of `meta` with the rest of a task."""

_NAMES = {"from_name": "label", "to_name": "text"}
# What a region always has; its other fields are those of an entity.
_REGION = ("type", "value", "score")
# The field of an entity with the other fields of a region's value.
_VALUE = "value_fields"


class _Value(OpenModel):
    start: StrictInt
    end: StrictInt
    text: Text | None = None
    labels: list[Text] = Field(default_factory=list)


class _Region(OpenModel):
    value: _Value
    score: StrictInt | StrictFloat | None = None


class _Result(OpenModel):
    result: list[dict[Text, Any]]
    score: Any = None
    was_cancelled: bool = False
    ground_truth: bool = False
    updated_at: Text | None = None


class _Task(OpenModel):
    data: TextModel
    # Exports without the predictions have their numbers.
    annotations: list[_Result | int] | None = None
    predictions: list[_Result | int] | None = None


def read_labelstudio(path: Path, on_skip: OnSkip | None = None) -> Iterator[Record]:
    """Read the JSON export (not JSON-MIN) of a project that labels `data.text`.

    Of several annotations the one that is marked as ground truth is read, otherwise the newest. A task without one
    gives the entities of its first prediction, each with its own score or that of the prediction. Tasks of which every
    annotation was cancelled are skipped. What is not read is reported and kept. Offsets that count UTF-16 units, as
    old versions do, are told by the text of the region.

    on_skip (callable or None): takes a problem for each task that is skipped; None to raise an error at what cannot be
        read.
    YIELDS (Record): each task.
    RAISES (MedflatError): not UTF-8, not JSON, or not of this shape.
    """
    for place, raw in read_objects(path, on_skip):
        task = parse_object(raw, _Task, "Label Studio", place, on_skip)
        if task is None:
            continue
        results = [r for r in (*(task.annotations or ()), *(task.predictions or ())) if isinstance(r, _Result)]
        for fields in (
            task.model_extra or {},
            task.data.model_extra or {},
            *(result.model_extra or {} for result in results),
        ):
            check_all_read(fields, "annotations", "Label Studio", place)
        source, index, rejected = _choose(task)
        if rejected:
            if on_skip:
                on_skip(Problem("rejected", place, f"cancelled annotations: {rejected}"))
            continue
        record = _read_task(task, raw, source, index, place, on_skip)
        if record is not None:
            yield record


def _choose(task: _Task) -> tuple[str, int, int]:
    """Field and number of the annotation or prediction to read, -1 for none, and how many are cancelled if all are."""
    annotations = [(i, a) for i, a in enumerate(task.annotations or ()) if isinstance(a, _Result)]
    done = [(i, a) for i, a in annotations if not a.was_cancelled]
    if done:
        # Of equals the first; the time is in ISO format.
        return "annotations", max(done, key=lambda item: (item[1].ground_truth, item[1].updated_at or ""))[0], 0
    found = (i for i, p in enumerate(task.predictions or ()) if isinstance(p, _Result))
    return "predictions", next(found, -1), len(annotations)


def _read_task(task: _Task, raw: Fields, source: str, index: int, place: str, on_skip: OnSkip | None) -> Record | None:
    identifier, meta = split_id(task.data.model_extra)
    if not identifier and raw.get("id") is not None:
        identifier = str(raw["id"])
    record = Record(task.data.text, [], identifier, place, meta)
    kept = {key: value for key, value in raw.items() if key != "data"}

    def report(problem: Problem) -> None:
        record.problems.append(replace(problem, kind="broken_annotation"))

    on_region = report if on_skip else None
    if index >= 0:
        chosen = raw[source][index]
        rest: list[Any] = []
        for number, region in enumerate(chosen.get("result") or ()):
            if region.get("type", "labels") != "labels":
                rest.append(region)
                continue
            where = f"{place} region {number + 1}"
            parsed = parse_object(region, _Region, "Label Studio", where, on_region)
            if parsed is not None and parsed.value.labels:
                for fields in (parsed.model_extra, parsed.value.model_extra):
                    check_all_read(fields or {}, "value", "Label Studio", where)
                if places := _repaired(parsed.value, record.text):
                    detail = f"{parsed.value.start}-{parsed.value.end} is {places[0]}-{places[1]} in characters"
                    record.problems.append(Problem("utf16_offsets", where, detail))
                    parsed.value.start, parsed.value.end = places
                record.entities += _entities(parsed, region, chosen.get("score") if source == "predictions" else None)
            elif parsed is not None:
                record.problems.append(Problem("broken_annotation", where, f"no label: {clipped(region['value'])}"))
        slot = {key: value for key, value in chosen.items() if key != "result"}
        kept[source] = [*raw[source][:index], {**slot, "rest": rest}, *raw[source][index + 1 :]]
        record.problems += _unread(raw, source, index, rest, place)
        if source == "predictions" and record.entities:
            record.problems.append(Problem("predicted", place, f"entities: {len(record.entities)}"))
    if kept != _empty(record):
        record.meta[KEPT] = kept
    return record


def _repaired(value: _Value, text: str) -> tuple[int, int] | None:
    """Offsets in characters, if those that are given count UTF-16 units, as old versions of Label Studio do."""
    if value.text is None or text.isascii() or text[max(value.start, 0) : max(value.end, 0)] == value.text:
        return None
    return characters_of(text, value.start, value.end, value.text)


def _entities(region: _Region, raw: Fields, score: Any) -> list[Entity]:
    value = region.value
    meta = {key: found for key, found in raw.items() if key not in _REGION and (key, found) not in _NAMES.items()}
    if value.model_extra:
        meta[_VALUE] = value.model_extra
    if region.score is not None:
        score = region.score
    number = score if isinstance(score, (int, float)) and not isinstance(score, bool) else None
    return [Entity(value.start, value.end, label, value.text, number, meta) for label in value.labels]


def _unread(raw: Fields, source: str, index: int, rest: list[Any], place: str) -> list[Problem]:
    counts = Counter(f"regions of the type {clipped(region.get('type'))}" for region in rest)
    for field in ("annotations", "predictions", "drafts"):
        results = [*(raw.get(field) or ())]
        if field == source and index >= 0:
            del results[index]
        regions = sum(len(r.get("result") or ()) for r in results if isinstance(r, dict))
        if regions:
            counts[f"regions of {'other ' if field == source else ''}{field}"] = regions
    return [Problem("ignored_annotation", place, f"{what} ×{count}") for what, count in sorted(counts.items())]


def write_labelstudio(records: Iterable[Record], path: Path) -> list[Problem]:
    """Write tasks to import, or what was read of Label Studio's own.

    Entities are an annotation, or a prediction if every one has a score. The fields of `meta` are those of `data`.

    RETURNS (list of Problem): what was left out.
    """
    return write_objects(records, path, _fields, entity_names=_REGION, array=True, keeps_scores=True, wrap=_task)


def _empty(record: Record) -> Fields:
    scored = record.entities and all(entity.score is not None for entity in record.entities)
    return {"predictions" if scored else "annotations": [{"rest": []}]}


def _fields(record: Record) -> Fields:
    return {"text": record.text}


def _filled(task: Fields, regions: list[Fields]) -> Fields:
    """The task with the regions in the annotation or prediction that has none, or in a new annotation."""
    for field in ("annotations", "predictions"):
        results = _listed(task, field)
        for number, slot in enumerate(results):
            if isinstance(slot, dict) and isinstance(slot.get("rest"), list):
                own = {key: value for key, value in slot.items() if key != "rest"}
                filled = {**own, "result": [*regions, *slot["rest"]]}
                return {**task, field: [*results[:number], filled, *results[number + 1 :]]}
    return {**task, "annotations": [*_listed(task, "annotations"), {"result": regions}]} if regions else task


def _listed(task: Fields, field: str) -> list[Any]:
    value = task.get(field)
    return value if isinstance(value, list) else []


def _regions(record: Record) -> Iterator[Fields]:
    """Regions; entities that were one region with several labels are one again."""

    def key(item: tuple[int, Entity]) -> Any:
        number, entity = item
        same = (entity.start, entity.end, entity.surface, entity.score, entity.meta)
        return same if "id" in entity.meta else number

    for _, group in groupby(enumerate(record.entities), key):
        entities = [entity for _, entity in group]
        first = entities[0]
        surface = record.text[first.start : first.end] if first.surface is None else first.surface
        meta = {name: value for name, value in first.meta.items() if name not in _REGION}
        extra = meta.pop(_VALUE) if isinstance(meta.get(_VALUE), dict) else {}
        yield {
            **_NAMES,
            **meta,
            "type": "labels",
            "value": {
                **extra,
                "start": first.start,
                "end": first.end,
                "text": surface,
                "labels": [entity.label for entity in entities],
            },
            **({} if first.score is None else {"score": first.score}),
        }


def _task(record: Record, fields: Fields) -> Fields:
    kept = fields.pop(KEPT, None)
    task = _filled(kept if isinstance(kept, dict) else _empty(record), [*_regions(record)])
    if task.get("id") is not None and fields.get("id") == str(task["id"]):
        del fields["id"]
    return {**task, "data": fields}
