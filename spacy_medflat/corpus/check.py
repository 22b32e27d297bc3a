"""The check every corpus goes through: the broken is skipped, the doubtful kept, both are reported."""

import json
import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace

from spacy.util import logger

from ..errors import CorpusError, clipped
from .compare import DuplicateFinder
from .kinds import BROKEN, KINDS
from .nesting import find_overlaps
from .record import Entity, Problem, Record, describe
from .report import Report

_MARKUP = re.compile(r"<su[bp]>")
_CLOSING_MARKUP = re.compile(r"</su[bp]>")


def check_records(
    records: Iterable[Record], labels: Collection[str] | None = None, strict: bool = False
) -> tuple[Iterator[Record], Report]:
    """Separate the sound from the broken.

    labels: The known labels; entities with others are skipped. None knows all.
    strict: Stop at the first problem of a kind in `kinds.BROKEN`.
    RETURNS (tuple[Iterator[Record], Report]): The records without their broken entities, one at a time, and a
        report that fills as they are consumed. The given records are not changed.
    RAISES (CorpusError): In strict mode, while the records are consumed.
    """
    report = Report()
    return _checked(records, report, None if labels is None else frozenset(labels), strict), report


def note(report: Report, problem: Problem, strict: bool) -> None:
    """Enter a problem in the report.

    RAISES (CorpusError): In strict mode, if its kind is in `kinds.BROKEN`.
    """
    report.add_problem(problem)
    if strict and problem.kind in BROKEN:
        raise CorpusError(f"{problem}; mend it, or leave out strict to have it counted and reported")


def _checked(
    records: Iterable[Record], report: Report, labels: frozenset[str] | None, strict: bool
) -> Iterator[Record]:
    duplicates = DuplicateFinder()
    for record in records:
        report.count_read(record)
        for problem in record.problems:
            note(report, problem, strict)
        if _has_surrogate(record):
            note(report, Problem("surrogate", record.place, clipped(record.text)), strict)
            continue
        entities, problems = check_entities(record, labels)
        clean = replace(record, entities=entities, problems=[])
        for problem in (*problems, *check_text(clean.text, clean.place)):
            note(report, problem, strict)
        if clean.text.strip():
            for problem in duplicates.problems(clean):
                note(report, problem, strict)
        report.add(clean)
        yield clean


def without_surrogates(records: Iterable[Record]) -> Iterator[Record]:
    """The records that can be written as UTF-8; the others are logged. For readers who need no other check."""
    for record in records:
        if _has_surrogate(record):
            problem = Problem("surrogate", record.place, clipped(record.text))
            logger.warning("%s: %s", problem, KINDS[problem.kind])
        else:
            yield record


def check_text(text: str, place: str) -> list[Problem]:
    """What is doubtful about a text taken alone."""
    problems = []
    if not text.strip():
        problems.append(Problem("empty_text", place, clipped(text)))
    if _MARKUP.search(text):
        problems.append(Problem("markup", place, _counted(_MARKUP, text)))
    elif _CLOSING_MARKUP.search(text):
        problems.append(Problem("stray_markup", place, _counted(_CLOSING_MARKUP, text)))
    return problems


def _counted(pattern: re.Pattern[str], text: str) -> str:
    found = pattern.findall(text)
    return ", ".join(f"{tag} ×{found.count(tag)}" for tag in sorted(set(found)))


def check_entities(record: Record, labels: Collection[str] | None) -> tuple[list[Entity], list[Problem]]:
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


def _fault(entity: Entity, text: str, labels: Collection[str] | None) -> str | None:
    """The kind of problem that makes an entity unusable, if any."""
    if entity.start >= entity.end:
        return "empty_or_reversed"
    if entity.start < 0 or entity.end > len(text):
        return "out_of_text"
    if labels is not None and entity.label not in labels:
        return "unknown_label"
    return None


def _has_surrogate(record: Record) -> bool:
    """Whether any string of the record cannot be written as UTF-8."""
    parts = [record.text, record.id, *(e.label for e in record.entities)]
    parts += [e.surface for e in record.entities if e.surface is not None]
    if record.meta:
        parts.append(json.dumps(record.meta, ensure_ascii=False, default=repr))
    try:
        "".join(parts).encode("utf-8")
    except UnicodeEncodeError:
        return True
    return False
