"""Cutting texts at a length, as systems do that read no further, with a count of what that loses."""

from __future__ import annotations

from dataclasses import replace

from .record import Record


def truncate(record: Record, max_length: int) -> tuple[Record, int]:
    """The first characters of a record's text, with the entities that lie inside them as a whole.

    max_length: In characters; 0 for no limit.
    RETURNS (tuple[Record, int]): A record, the given one if there is nothing to cut, and the number of entities lost.
    """
    if max_length <= 0 or len(record.text) <= max_length:
        return record, 0
    kept = [entity for entity in record.entities if entity.end <= max_length]
    return replace(record, text=record.text[:max_length], entities=kept), len(record.entities) - len(kept)
