"""Small steps that many tests of the corpus share."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from spacy_medflat.corpus.record import Entity, Problem, Record

TUMOUR = "右肺上叶腺癌，咳嗽咳痰3天。"
"""The text of `tumour`."""


def tumour(**fields: Any) -> Record:
    """A record with a nesting: 右肺上叶腺癌 (dis) holds 右肺上叶 (bod); and 咳嗽 (sym)."""
    return Record(TUMOUR, [Entity(0, 6, "dis"), Entity(0, 4, "bod"), Entity(7, 9, "sym")], **fields)


def write(path: Path, content: str | bytes) -> Path:
    """Write a file and give its path back."""
    path.write_bytes(content.encode("utf-8") if isinstance(content, str) else content)
    return path


def write_json(path: Path, value: Any) -> Path:
    """Write a value as JSON, with half surrogate pairs escaped."""
    return write(path, json.dumps(value))


def content(records: Iterable[Record]) -> list[tuple[str, list[Entity]]]:
    """What no format may change."""
    return [(record.text, record.entities) for record in records]


def whole(records: Iterable[Record]) -> list[Any]:
    """What a format that holds everything does not change."""
    return [(r.text, r.id, r.meta, [(e, e.score, e.meta) for e in r.entities]) for r in records]


def kinds(problems: Iterable[Problem]) -> list[str]:
    """The kinds of problems, in order."""
    return [problem.kind for problem in problems]
