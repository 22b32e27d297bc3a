"""The official layout of a CBLUE submission for CMeEE (Zhang et al., "CBLUE", ACL 2022), and what it demands.

The file is a JSON array with the texts of the official test file, in its order. Each has `entities` with the inclusive
offsets `start_idx` and `end_idx`, `type`, and `entity`, the text between them. CBLUE expects it to be called
`CMeEE_test.json`.
"""

from collections.abc import Iterable
from itertools import zip_longest
from pathlib import Path
from typing import Any

from ..errors import CorpusError, clipped
from ..files import read_text
from .formats.json_io import read_objects

TYPES = ("bod", "dep", "dis", "dru", "equ", "ite", "mic", "pro", "sym")

_FIELDS = {"start_idx": int, "end_idx": int, "type": str, "entity": str}


def check_submission(path: Path, test: Path) -> None:
    """Check a file against the official test file.

    path (Path): the submission.
    test (Path): the official test file.
    RAISES (MedflatError): the first problem, with its place and value; or a file that cannot be read.
    """
    if not read_text(path).lstrip().startswith("["):
        raise CorpusError(f"{path.name}: a submission is one JSON array, not JSON lines")
    texts = [_text(value, place) for place, value in read_objects(test)]
    check_objects(read_objects(path), texts, test.name)


def check_objects(submitted: Iterable[tuple[str, Any]], texts: list[str], test: str = "the test file") -> None:
    """Check objects against the official texts.

    submitted (iterable of (str, Any)): place and value of each object.
    texts (list of str): the official texts.
    test (str): what messages call the official file.
    RAISES (CorpusError): the first problem.
    """
    for number, (found, wanted) in enumerate(zip_longest(submitted, texts), 1):
        if found is None:
            raise CorpusError(f"{test} has {len(texts):,} texts, but only {number - 1:,} are submitted")
        place, value = found
        if wanted is None:
            raise CorpusError(f"{place}: one text too many; {test} has {len(texts):,}")
        text = _text(value, place)
        if text != wanted:
            raise CorpusError(
                f"{place}: not the text of {test} at this place: {clipped(text)} in place of {clipped(wanted)}; "
                "the texts must be the same, in the same order"
            )
        _check_entities(value.get("entities"), text, place)


def _text(value: Any, place: str) -> str:
    text = value.get("text") if isinstance(value, dict) else None
    if not isinstance(text, str):
        raise CorpusError(f"{place}: not an object with a 'text': {clipped(value)}")
    return text


def _check_entities(entities: Any, text: str, place: str) -> None:
    if not isinstance(entities, list):
        raise CorpusError(f"{place}: 'entities' must be a list, but it is {clipped(entities)}")
    seen = set()
    for number, entity in enumerate(entities, 1):
        where = f"{place} entity {number}"
        key = _check_entity(entity, text, where)
        if key in seen:
            raise CorpusError(f"{where}: {clipped(entity)} stands there twice")
        seen.add(key)


def _check_entity(entity: Any, text: str, where: str) -> tuple[int, int, str]:
    """The offsets and type of a sound entity."""
    if not isinstance(entity, dict):
        raise CorpusError(f"{where}: not an object: {clipped(entity)}")
    for field, kind in _FIELDS.items():
        value = entity.get(field)
        # True is an int to Python, but not to JSON.
        if not isinstance(value, kind) or isinstance(value, bool):
            raise CorpusError(f"{where}: {field!r} must be of the type {kind.__name__}, but it is {clipped(value)}")
    start, end, label, surface = (entity[field] for field in _FIELDS)
    if not 0 <= start <= end < len(text):
        raise CorpusError(f"{where}: the offsets {start}-{end}, end inclusive, are not in the text of {len(text)}")
    if label not in TYPES:
        raise CorpusError(f"{where}: the type {clipped(label)} is not one of {', '.join(TYPES)}")
    covered = text[start : end + 1]
    if surface != covered:
        raise CorpusError(
            f"{where}: 'entity' is {clipped(surface)}, but the text at {start}-{end} is {clipped(covered)}"
        )
    return start, end, label
