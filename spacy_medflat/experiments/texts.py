"""The annotated texts that experiments are scored on, and the mentions that they were trained on."""

import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from ..corpus.check import read_checked
from ..corpus.record import Entity, Record
from ..errors import ExperimentError


@dataclass(frozen=True)
class AnnotatedTexts:
    """Texts and their gold entities: all valid ones of the file, also those that a pipeline cannot reach.

    ids (list of str): identifiers of the source, empty where it has none.
    texts (list of str): the texts.
    gold (list of frozensets of Entity): for each text, offsets in characters.
    """

    ids: list[str]
    texts: list[str]
    gold: list[frozenset[Entity]]

    def __len__(self) -> int:
        return len(self.texts)

    @property
    def checksum(self) -> str:
        """CRC-32 of the texts and their gold, as eight hexadecimal digits."""
        crc = 0
        for text, gold in zip(self.texts, self.gold, strict=True):
            spans = sorted((e.start, e.end, e.label) for e in gold)
            crc = zlib.crc32(repr((text, spans)).encode("utf-8", "surrogatepass"), crc)
        return f"{crc:08x}"


def read_texts(corpus: dict[str, Any]) -> AnnotatedTexts:
    """Read what a corpus block of a config reads, but always whole texts.

    corpus (dict): the block: path, format, labels, limit, spans_key.
    RAISES (MedflatError): no path, no text with tokens in it, or the file cannot be read.
    """
    records = list(_records(corpus))
    if not records:
        raise ExperimentError(f"{corpus['path']}: no texts to score")
    gold = [frozenset(Entity(e.start, e.end, e.label) for e in record.entities) for record in records]
    return AnnotatedTexts([record.id for record in records], [record.text for record in records], gold)


def read_mentions(corpus: dict[str, Any]) -> frozenset[tuple[str, str]]:
    """Characters and label of every entity of a corpus block, see `breakdowns.by_seen`."""
    return frozenset((r.text[e.start : e.end], e.label) for r in _records(corpus) for e in r.entities)


def _records(corpus: dict[str, Any]) -> Iterator[Record]:
    if not corpus.get("path"):
        raise ExperimentError("the config names no corpus path: pass it, as in --set dev=dev.json")
    spans_key = corpus.get("spans_key") or "sc"
    clean, _ = read_checked(Path(corpus["path"]), corpus.get("format"), spans_key, corpus.get("labels"))
    limit = corpus.get("limit") or 0
    yield from islice(clean, limit if limit > 0 else None)
