"""brat standoff: a `.txt` file and an `.ann` file beside it for every text, alone or in a folder."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from ...context.attributes import VALUES
from ...errors import CorpusError, MedflatError, clipped
from ...files import BOM, open_for_writing, read_text
from ..record import Entity, OnSkip, Problem, Record, describe, lost_fields, skip_unreadable
from .file_names import file_name

_ENTITY = re.compile(r"T\S*\t(?P<label>\S+) (?P<spans>-?[0-9]+ -?[0-9]+(?:;-?[0-9]+ -?[0-9]+)*)(?:\t(?P<surface>.*))?")
_LINE_END = re.compile(r"[\r\n]")
# What is said about entities, see docs/context.md; other attributes are reported.
_ATTRIBUTE = re.compile(rf"A[0-9]+\t(?P<name>{'|'.join(VALUES)}) (?P<entity>T\S*) (?P<value>\S+)")
_NOT_AN_ENTITY = re.compile(r"(?:[REAMN][0-9]+|#\S*|\*)\t.*")


def read_brat(path: Path, on_skip: OnSkip | None = None) -> Iterator[Record]:
    """Read a folder (with its subfolders), or the one text whose `.txt` or `.ann` file is given.

    Offsets count the characters of the `.txt` file as it stands, `\\r` included. A text without an `.ann` file has no
    entities. Attributes `assertion`, `experiencer` and `temporality` become fields of their entities. Discontinuous
    entities, and all other lines, are reported in `Record.problems`.

    on_skip (callable or None): takes a problem for each text of which a file cannot be read; lines of annotations that
        cannot be read go to `Record.problems`. None to raise an error.
    YIELDS (Record): each text.
    RAISES (MedflatError): not UTF-8, no text, an `.ann` file without its text, or a line that is not brat.
    """
    root = path if path.is_dir() else path.parent
    for text_path in _text_paths(path, on_skip):
        ann_path = text_path.with_suffix(".ann")
        place, ann_place = (file.relative_to(root).as_posix() for file in (text_path, ann_path))
        try:
            record = Record(read_text(text_path, place), id=place.removesuffix(".txt"), place=place)
            annotations = read_text(ann_path, ann_place).removeprefix(BOM) if ann_path.exists() else ""
        except MedflatError as error:
            skip_unreadable(on_skip, place, error)
            continue
        _annotate(record, annotations, ann_place, on_skip is None)
        yield record


def _text_paths(path: Path, on_skip: OnSkip | None) -> list[Path]:
    if not path.is_dir():
        found = [path.with_suffix(".txt")]
        orphans = [path] if path.suffix == ".ann" and not found[0].exists() else []
        found = [] if orphans else found
    else:
        found = sorted(path.rglob("*.txt"))
        orphans = [ann for ann in sorted(path.rglob("*.ann")) if not ann.with_suffix(".txt").exists()]
    for orphan in orphans:
        error = CorpusError(f"{orphan}: annotations without a text; put the .txt file of the same name beside it")
        skip_unreadable(on_skip, str(orphan), error)
    if not found and not orphans:
        raise CorpusError(f"{path}: no .txt file in this folder; brat keeps each text in one, its annotations in .ann")
    return found


def _annotate(record: Record, annotations: str, place: str, strict: bool) -> None:
    by_id: dict[str, Entity] = {}
    attributes: list[tuple[str, re.Match[str]]] = []
    for number, line in enumerate(annotations.split("\n"), 1):
        line = line.removesuffix("\r")
        here = f"{place} line {number}"
        match = _ENTITY.fullmatch(line)
        attribute = _ATTRIBUTE.fullmatch(line)
        if match and ";" in match["spans"]:
            detail = f"{clipped(match['label'])} {match['spans']} {clipped(match['surface'])}"
            record.problems.append(Problem("discontinuous", here, detail))
        elif match:
            start, end = map(int, match["spans"].split())
            found = Entity(start, end, match["label"], _surface(match["surface"], record.text, start, end))
            record.entities.append(found)
            by_id[line.split("\t")[0]] = found
        elif attribute:
            attributes.append((here, attribute))
        elif _NOT_AN_ENTITY.fullmatch(line):
            record.problems.append(Problem("ignored_annotation", here, clipped(line)))
        elif line.strip():
            detail = f"not a brat annotation: {clipped(line)}; expected 'T1<tab>label 0 2<tab>text'"
            if strict:
                raise CorpusError(f"{here}: {detail}")
            record.problems.append(Problem("broken_annotation", here, detail))
    # They may stand before their entities.
    for here, attribute in attributes:
        if owner := by_id.get(attribute["entity"]):
            owner.meta[attribute["name"]] = attribute["value"]
        else:
            record.problems.append(Problem("ignored_annotation", here, clipped(attribute.group())))


def _surface(surface: str | None, text: str, start: int, end: int) -> str | None:
    """Give the surface as the text has it, if they differ only in line ends, for which brat writes spaces."""
    piece = text[start:end] if 0 <= start <= end else ""
    return piece if surface == _LINE_END.sub(" ", piece) else surface


def write_brat(records: Iterable[Record], path: Path) -> list[Problem]:
    """Write a folder with a `.txt` and an `.ann` file for each record, named after its identifier.

    Where an identifier is not safe as a file name, or is taken, the record's number replaces it. Labels with white
    space do not fit the format: such entities are skipped. Assertion, experiencer and temporality are written as
    attributes; brat shows them if `annotation.conf` names them.

    RETURNS (list of Problem): what was left out.
    RAISES (CorpusError): the path looks like a file.
    """
    if path.suffix in {".txt", ".ann"}:
        raise CorpusError(f"{path}: brat is written to a folder, one pair of files a text; give a folder")
    path.mkdir(parents=True, exist_ok=True)
    problems: list[Problem] = []
    taken: set[str] = set()
    for number, record in enumerate(records, 1):
        name = file_name(record.id, number, taken)
        lines, skipped = _ann_lines(record)
        problems += [*lost_fields(_without_attributes(record), name), *skipped]
        text_path = path / f"{name}.txt"
        text_path.parent.mkdir(parents=True, exist_ok=True)
        text_path.write_bytes(record.text.encode("utf-8"))
        with open_for_writing(text_path.with_suffix(".ann")) as file:
            file.writelines(lines)
    return problems


def _ann_lines(record: Record) -> tuple[list[str], list[Problem]]:
    lines: list[str] = []
    attributes: list[str] = []
    problems: list[Problem] = []
    for entity in record.entities:
        if not re.fullmatch(r"\S+", entity.label):
            detail = f"{describe(entity, record.text)}: a brat label must not be empty or hold white space"
            problems.append(Problem("unwritable", record.place, detail))
            continue
        surface = _LINE_END.sub(" ", record.text[entity.start : entity.end])
        lines.append(f"T{len(lines) + 1}\t{entity.label} {entity.start} {entity.end}\t{surface}\n")
        for name, value in _attributes(entity).items():
            attributes.append(f"A{len(attributes) + 1}\t{name} T{len(lines)} {value}\n")
    return lines + attributes, problems


def _attributes(entity: Entity) -> dict[str, str]:
    """What is written of an entity's fields."""
    return {name: entity.meta[name] for name, values in VALUES.items() if entity.meta.get(name) in values}


def _without_attributes(record: Record) -> Record:
    """A record with those fields of its entities that are not written."""
    fields = [
        {name: value for name, value in entity.meta.items() if name not in _attributes(entity)}
        for entity in record.entities
    ]
    entities = [replace(entity, meta=meta) for entity, meta in zip(record.entities, fields, strict=True)]
    return replace(record, entities=entities)
