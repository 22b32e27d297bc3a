"""The check that every corpus passes: what is broken is skipped, what is doubtful is kept, both are reported."""

import json
import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from spacy.util import logger

from ..errors import CorpusError, clipped
from .compare import DuplicateFinder
from .formats.registry import read_records
from .kinds import KINDS
from .nesting import find_overlaps
from .record import Entity, Problem, Record, describe
from .report import Report

_MARKUP = re.compile(r"<su[bp]>")
_CLOSING_MARKUP = re.compile(r"</su[bp]>")


def check_records(
    records: Iterable[Record], labels: Collection[str] | None = None, strict: bool = False
) -> tuple[Iterator[Record], Report]:
    """Separate sound records from broken ones. The given records are not changed.

    labels (collection of str or None): the known labels; entities with others are skipped. None knows all.
    strict (bool): stop at the first problem of a kind in `kinds.BROKEN`.
    RETURNS (iterator of Record, Report): the records without their broken entities, one at a time, and a report that
        fills as they are consumed.
    RAISES (CorpusError): a broken item in strict mode, while the records are consumed.
    """
    report = Report(strict)
    return _checked(records, report, None if labels is None else frozenset(labels)), report


def read_checked(
    path: Path,
    format_name: str | None = None,
    spans_key: str = "sc",
    labels: Collection[str] | None = None,
    strict: bool = False,
) -> tuple[Iterator[Record], Report]:
    """Read a file or folder and check it; texts that cannot be read are skipped and reported.

    path, format_name, spans_key: see `read_records`; labels, strict: see `check_records`.
    RETURNS (iterator of Record, Report): see `check_records`.
    RAISES (MedflatError): a missing path, an unknown format, or while the records are consumed: input of which nothing
        can be read, and in strict mode a broken item.
    """
    report = Report(strict)
    records = read_records(path, format_name, spans_key, report.skip)
    known = None if labels is None else frozenset(labels)
    return _with_totals(_checked(records, report, known), report, path), report


def _with_totals(records: Iterator[Record], report: Report, path: Path) -> Iterator[Record]:
    """Refuse a file of which no text could be read, and warn of one without entities."""
    yield from records
    unreadable, rejected = (report.problems.get(kind, ()) for kind in ("unreadable", "rejected"))
    if unreadable and len(unreadable) + len(rejected) == report.texts_read:
        raise CorpusError(
            f"{unreadable[0].place}: {unreadable[0].detail}; none of {len(unreadable):,} texts can be read"
        )
    if not report.entities_read:
        report.add_problems([Problem("no_entities", path.name, f"texts: {report.texts_read:,}, entities: 0")])


def _checked(records: Iterable[Record], report: Report, labels: frozenset[str] | None) -> Iterator[Record]:
    duplicates = DuplicateFinder()
    for record in records:
        report.count_read(record)
        report.add_problems(record.problems)
        if _has_surrogate(record):
            report.add_problems([_surrogate(record)])
            continue
        entities, problems = _check_entities(record, labels)
        unknown, of_unknown = _check_unknown(record, entities, labels)
        clean = replace(record, entities=entities, unknown=unknown, problems=[])
        report.add_problems([*problems, *of_unknown, *_check_text(clean.text, clean.place)])
        if clean.text.strip():
            report.add_problems(duplicates.problems(clean))
        report.add(clean)
        yield clean


def without_surrogates(records: Iterable[Record]) -> Iterator[Record]:
    """Log and skip records that cannot be written as UTF-8, for readers that need no other check."""
    for record in records:
        if _has_surrogate(record):
            logger.warning("%s: %s", _surrogate(record), KINDS["surrogate"])
        else:
            yield record


def _surrogate(record: Record) -> Problem:
    return Problem("surrogate", record.place, clipped(record.text))


def _has_surrogate(record: Record) -> bool:
    """Whether any string of the record cannot be written as UTF-8."""
    spans = [*record.entities, *record.unknown]
    strings = [record.text, record.id, *(f"{entity.label}{entity.surface}" for entity in spans)]
    if meta := [fields for fields in (record.meta, *(entity.meta for entity in spans)) if fields]:
        strings.append(json.dumps(meta, ensure_ascii=False, default=repr))
    try:
        "".join(strings).encode("utf-8")
    except UnicodeEncodeError:
        return True
    return False


def _check_text(text: str, place: str) -> list[Problem]:
    problems = []
    if not text.strip():
        problems.append(Problem("empty_text", place, clipped(text)))
    if found := _MARKUP.findall(text):
        problems.append(Problem("markup", place, _counted(found)))
    elif found := _CLOSING_MARKUP.findall(text):
        problems.append(Problem("stray_markup", place, _counted(found)))
    return problems


def _counted(tags: list[str]) -> str:
    return ", ".join(f"{tag} ×{tags.count(tag)}" for tag in sorted(set(tags)))


def _check_entities(record: Record, labels: Collection[str] | None) -> tuple[list[Entity], list[Problem]]:
    """The sound entities of a record, in its order, and what is wrong with the others or between them."""
    kept: dict[Entity, None] = {}
    problems = []
    for entity in record.entities:
        fault = _fault(entity, record.text, labels) or ("repeated_entity" if entity in kept else None)
        if fault:
            problems.append(Problem(fault, record.place, describe(entity, record.text)))
            continue
        kept[entity] = None
        if entity.surface is not None and entity.surface != record.text[entity.start : entity.end]:
            detail = f"{describe(entity, record.text)}, but the entity says {clipped(entity.surface)}"
            problems.append(Problem("surface_mismatch", record.place, detail))
    for first, second in find_overlaps(list(kept)).crossing:
        detail = f"{describe(first, record.text)} and {describe(second, record.text)}"
        problems.append(Problem("crossing", record.place, detail))
    return list(kept), problems


def _check_unknown(
    record: Record, entities: Collection[Entity], labels: Collection[str] | None
) -> tuple[list[Entity], list[Problem]]:
    """The sound unknown spans of a record that are not among its sound entities, and what is wrong with the others."""
    kept: dict[Entity, None] = {}
    problems = []
    known = set(entities)
    for span in record.unknown:
        fault = _fault(span, record.text, labels) or ("contradiction" if span in known else None)
        if fault:
            problems.append(Problem(fault, record.place, f"unknown span {describe(span, record.text)}"))
        else:
            kept[span] = None
    return list(kept), problems


def _fault(entity: Entity, text: str, labels: Collection[str] | None) -> str | None:
    """The kind of problem that makes an entity unusable, if any."""
    if entity.start >= entity.end:
        return "empty_or_reversed"
    if entity.start < 0 or entity.end > len(text):
        return "out_of_text"
    return "unknown_label" if labels is not None and entity.label not in labels else None
