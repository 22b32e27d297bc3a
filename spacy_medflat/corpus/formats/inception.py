"""INCEpTION: a UIMA CAS in JSON (version 0.4.0) for each text, with entities in the built-in layer "Named entity".

INCEpTION refuses types that a project does not have, so nothing is written but types that each project has: an entity
is a `NamedEntity` with its label as `value`, and identifier and fields are `MetaDataStringField`, as INCEpTION itself
keeps those of other formats. Every character is a token, so that an annotation can begin and end at any of them.
Offsets in the files count UTF-16 code units; cassis turns them into characters.
"""

import json
import re
import warnings
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import pairwise
from pathlib import Path
from types import ModuleType
from typing import Any

from ...errors import CorpusError, MedflatError, clipped
from ...files import BOM, read_text
from ..record import Entity, OnSkip, Problem, Record, lost_entity_fields, lost_scores, lost_uncertainty, skip_unreadable
from .file_names import file_name
from .json_io import split_id

_TYPES = "de.tudarmstadt.ukp.dkpro.core.api"
_ENTITY = f"{_TYPES}.ner.type.NamedEntity"
_TOKEN = f"{_TYPES}.segmentation.type.Token"
_SENTENCE = f"{_TYPES}.segmentation.type.Sentence"
_FIELD = f"{_TYPES}.metadata.type.MetaDataStringField"
# Annotations that say nothing about entities.
_STRUCTURE = (_ENTITY, _TOKEN, _SENTENCE, _FIELD, f"{_TYPES}.metadata.type.", "uima.", "de.tudarmstadt.ukp.clarin.")
_CAS = re.compile(r'\s*\{\s*"%(TYPES|FEATURE_STRUCTURES|VIEWS|HEADER|FLAGS)"')
_LOOK = 4096
# The text as it was imported, beside what annotators made of it.
_IMPORTED = "INITIAL_CAS"
_SENTENCE_END = re.compile(r"[。！？；\n]+")


def is_cas(path: Path) -> bool:
    """Whether a file is a CAS in JSON, as its beginning says."""
    with path.open("rb") as file:
        return bool(_CAS.match(file.read(_LOOK).decode("utf-8", "replace").removeprefix(BOM)))


def read_inception(path: Path, on_skip: OnSkip | None = None) -> Iterator[Record]:
    """Read a CAS in JSON, or all of a folder with its subfolders, such as an export that is unpacked.

    The identifier is the field `id`, or the document's name: of `curation/note-1.json/CURATION_USER.json` it is
    `note-1`. In such a folder, `INITIAL_CAS.json` is the text before annotation, and not read. Annotations of other
    layers are reported in `Record.problems`.

    on_skip (callable or None): takes a problem for each file that cannot be read; None to raise an error.
    YIELDS (Record): each text.
    RAISES (MedflatError): dkpro-cassis is not installed, no file, or one that is no CAS.
    """
    cassis = _cassis()
    root = path if path.is_dir() else path.parent
    files = sorted(file for file in path.rglob("*.json") if file.is_file()) if path.is_dir() else [path]
    if not files:
        raise CorpusError(
            f"{path}: no .json file in this folder; export from INCEpTION as UIMA CAS JSON, and unpack it"
        )
    for file in files:
        place = file.relative_to(root).as_posix()
        if file.stem == _IMPORTED:
            if on_skip:
                on_skip(Problem("rejected", place, "the text as it was imported, not annotated"))
            continue
        try:
            record = _read_file(cassis, file, place)
        except MedflatError as error:
            skip_unreadable(on_skip, place, error)
            continue
        if not record.id:
            record.id = _document_name(file, root)
        yield record


def _cassis() -> ModuleType:
    try:
        import cassis
    except ImportError as error:
        raise CorpusError(
            "the format of INCEpTION needs dkpro-cassis: pip install 'spacy-medflat[inception]'"
        ) from error
    return cassis


def _read_file(cassis: ModuleType, path: Path, place: str) -> Record:
    text = read_text(path, place).removeprefix(BOM)
    try:
        with warnings.catch_warnings():
            # It warns of an offset that is none, and keeps it.
            warnings.simplefilter("error")
            cas = cassis.load_cas_from_json(text)
        entities = list(cas.select(_ENTITY)) if cas.typesystem.contains_type(_ENTITY) else []
        fields = list(cas.select(_FIELD)) if cas.typesystem.contains_type(_FIELD) else []
        others = Counter(item.type.name for item in cas.select_all())
        content = cas.sofa_string
    # What is no CAS raises errors of json, attrs and cassis of many types.
    except Exception as error:
        raise CorpusError(f"{place}: not a UIMA CAS in JSON, or damaged: {clipped(str(error))}") from error
    if not isinstance(content, str):
        raise CorpusError(f"{place}: a CAS without a text")
    identifier, meta = split_id({str(field.key): _decoded(field.value) for field in fields})
    record = Record(content, [], identifier, place, meta)
    for item in entities:
        if item.value is None:
            detail = f"no label at {item.begin}-{item.end} {clipped(content[item.begin : item.end])}"
            record.problems.append(Problem("broken_annotation", place, detail))
        else:
            known = {} if item.identifier is None else {"identifier": item.identifier}
            record.entities.append(Entity(item.begin, item.end, item.value, meta=known))
    record.problems += [
        Problem("ignored_annotation", place, f"layer {clipped(name)} ×{count}")
        for name, count in sorted(others.items())
        if not name.startswith(_STRUCTURE)
    ]
    return record


def _document_name(file: Path, root: Path) -> str:
    """The name of a document: that of the file, or of the folder that holds what each annotator made of it."""
    inner = file.relative_to(root)
    named = inner.parent if inner.parent.suffix in {".json", ".txt", ".xmi"} else inner
    parts = named.parts[1:] if named.parts[0] in {"annotation", "curation"} and len(named.parts) > 1 else named.parts
    return Path(*parts).with_suffix("").as_posix()


def write_inception(records: Iterable[Record], path: Path) -> list[Problem]:
    """Write a folder with a CAS in JSON for each record, named after its identifier as `write_brat` does.

    Scores do not fit the format, nor do fields of an entity other than `identifier`.

    RETURNS (list of Problem): what was left out.
    RAISES (CorpusError): the path looks like a file, or dkpro-cassis is not installed.
    """
    if path.suffix == ".json":
        raise CorpusError(f"{path}: INCEpTION imports a file for each text; give a folder")
    cassis = _cassis()
    typesystem = cassis.load_dkpro_core_typesystem()
    path.mkdir(parents=True, exist_ok=True)
    problems: list[Problem] = []
    taken: set[str] = set()
    for number, record in enumerate(records, 1):
        target = path / f"{file_name(record.id, number, taken)}.json"
        problems += [
            *lost_scores(record),
            *lost_entity_fields(record, _unfit_fields(record)),
            *lost_uncertainty(record),
        ]
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(_cas_json(cassis, typesystem, record), encoding="utf-8", newline="\n")
    return problems


def _unfit_fields(record: Record) -> set[str]:
    return {
        key
        for entity in record.entities
        for key, value in entity.meta.items()
        if key != "identifier" or not isinstance(value, str)
    }


def _cas_json(cassis: ModuleType, typesystem: Any, record: Record) -> str:
    from cassis.typesystem import TypeSystemMode

    cas = cassis.Cas(typesystem)
    cas.sofa_string, cas.sofa_mime = record.text, "text/plain"
    make = {name: typesystem.get_type(name) for name in (_ENTITY, _TOKEN, _SENTENCE, _FIELD)}
    fields = {**({"id": record.id} if record.id else {}), **record.meta}
    items = [make[_FIELD](begin=0, end=0, key=key, value=_encoded(value)) for key, value in fields.items()]
    items += [make[_SENTENCE](begin=begin, end=end) for begin, end in sentences(record.text, record.entities)]
    items += [make[_TOKEN](begin=i, end=i + 1) for i, char in enumerate(record.text) if _visible(char)]
    for entity in record.entities:
        identifier = entity.meta.get("identifier")
        known = {"identifier": identifier} if isinstance(identifier, str) else {}
        items.append(make[_ENTITY](begin=entity.start, end=entity.end, value=entity.label, **known))
    cas.add_all(items)
    return cas.to_json(type_system_mode=TypeSystemMode.MINIMAL)


def sentences(text: str, entities: Iterable[Entity]) -> list[tuple[int, int]]:
    """Cut a text into the sentences that INCEpTION shows one a line, without white space around them.

    No sentence ends inside an entity: INCEpTION shows none that reaches over an end.

    RETURNS (list of (int, int)): start and end in characters, end exclusive.
    """
    inside = {offset for entity in entities for offset in range(entity.start + 1, entity.end)}
    ends = [match.end() for match in _SENTENCE_END.finditer(text) if match.end() not in inside]
    found = []
    for begin, end in pairwise([0, *ends, len(text)]):
        seen = [i for i in range(begin, end) if _visible(text[i])]
        if seen:
            found.append((seen[0], seen[-1] + 1))
    return found


def _visible(char: str) -> bool:
    # INCEpTION wants no token of white space or of what has no width.
    return char.isprintable() and char != " "


def _encoded(value: Any) -> str:
    """A field as a string: one that would be read as another value, and what is no string, as JSON."""
    if isinstance(value, str) and _decoded(value) is value:
        return value
    return json.dumps(value, ensure_ascii=False)


def _decoded(value: str | None) -> Any:
    try:
        return json.loads(value) if value is not None else None
    except (ValueError, RecursionError):
        return value
