"""Texts that occur more than once, within a file or across files."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from .record import Entity, Problem, Record


def fingerprint(text: str) -> bytes:
    """16 bytes that stand for a text, so that a whole corpus can be remembered. No lone surrogates."""
    return hashlib.blake2b(text.encode("utf-8"), digest_size=16).digest()


class DuplicateFinder:
    """Remembers the place and the entities of every text's first record."""

    def __init__(self) -> None:
        self._first: dict[bytes, tuple[str, frozenset[Entity]]] = {}

    def problems(self, record: Record) -> Iterator[Problem]:
        """A "duplicate_text" if the text was seen before, a "conflict" if it had other entities then."""
        entities = frozenset(record.entities)
        key = fingerprint(record.text)
        if key not in self._first:
            self._first[key] = (record.place, entities)
            return
        first_place, first_entities = self._first[key]
        yield Problem("duplicate_text", record.place, f"same text as {first_place}")
        if entities != first_entities:
            yield Problem(
                "conflict",
                record.place,
                f"{len(entities - first_entities)} entities only here, "
                f"{len(first_entities - entities)} only in {first_place}",
            )
