"""Notes as short texts, each once, without those that are annotated already."""

import hashlib
import heapq
import json
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from pydantic import BaseModel

from ..errors import amount
from ..files import open_for_writing, replaced_when_done
from ..ner.training_texts import text_digest
from ..scale.items import Failure
from ..scale.parse import parse
from ..scale.readers import Meter, read_items
from ..scale.run_settings import FieldNames
from ..scale.sources import Source
from .cutting import letters, pieces

# Why notes and pieces of them are left out, as it is reported.
UNREADABLE = "that cannot be read"
LABELLED = "that are annotated already, or to be left out"
NEAR_EMPTY = "with too few letters"
DUPLICATE = "that were there before"
BEYOND = "beyond the count"
_SHOWN = 3


class Note(NamedTuple):
    """A text to be read by the pipelines.

    text (str): a note, or a piece of it.
    id (str): that of the note, with the number of the piece if there are several; empty if it has none.
    """

    text: str
    id: str


class NoteCounts(BaseModel):
    """What became of the notes.

    read (int): notes that were met.
    kept (int): pieces that are kept.
    left_out (Counter of str): notes or pieces that are not, by reason.
    failures (list of str): the first that cannot be read, with place and reason.
    """

    read: int = 0
    kept: int = 0
    left_out: Counter[str] = Counter()
    failures: list[str] = []

    def __str__(self) -> str:
        left_out = ", ".join(f"{count:,} {reason}" for reason, count in self.left_out.items())
        kept = f"{amount(self.read, 'note')} read, {amount(self.kept, 'text')} of them kept"
        return f"{kept}; left out: {left_out}" if left_out else kept


def read_notes(
    sources: Iterable[Source],
    names: FieldNames,
    counts: NoteCounts,
    *,
    known: Collection[bytes],
    max_length: int,
    min_letters: int,
) -> Iterator[Note]:
    """Read notes and cut them, a piece at a time. A piece that comes again is kept, for `distinct`.

    sources (iterable of Source): the files.
    names (FieldNames): of the fields.
    counts (NoteCounts): counts what is read and left out.
    known (collection of bytes): digests of texts to be left out, be they a note or a piece.
    max_length (int): characters of a piece at most.
    min_letters (int): pieces with fewer letters are left out.
    RAISES (SourceError): the rest of a source cannot be read.
    """
    for item in read_items(sources, Meter()):
        counts.read += 1
        note = parse(item, names)
        if isinstance(note, Failure):
            counts.left_out[UNREADABLE] += 1
            if len(counts.failures) < _SHOWN:
                counts.failures.append(f"{note.place}: {note.reason}")
            continue
        if text_digest(note.text) in known:
            counts.left_out[LABELLED] += 1
            continue
        identifier = "" if note.id is None else str(note.id)
        whole = len(note.text.strip()) <= max_length
        for number, piece in enumerate(pieces(note.text, max_length), 1):
            if letters(piece) < min_letters:
                counts.left_out[NEAR_EMPTY] += 1
            elif not whole and text_digest(piece) in known:
                counts.left_out[LABELLED] += 1
            else:
                yield Note(piece, identifier if whole or not identifier else f"{identifier}#{number}")


def distinct(notes: Iterable[Note], counts: NoteCounts) -> Iterator[Note]:
    """The notes whose text did not come before, white space aside. Memory: some 100 bytes a note."""
    seen: set[bytes] = set()
    for note in notes:
        digest = text_digest(note.text)
        if digest in seen:
            counts.left_out[DUPLICATE] += 1
        else:
            seen.add(digest)
            yield note


def draw(notes: Iterable[Note], size: int, seed: int, counts: NoteCounts) -> list[Note]:
    """Draw distinct notes from all, evenly, in their order. Only those that are drawn are in memory.

    A note is drawn if the hash of its text with the seed is among the smallest, so the same notes in another order give
    the same draw.
    """
    drawn: dict[bytes, tuple[int, Note]] = {}
    largest: list[tuple[int, bytes]] = []
    for number, note in enumerate(notes):
        digest = text_digest(note.text)
        if digest in drawn:
            counts.left_out[DUPLICATE] += 1
            continue
        key = -int.from_bytes(hashlib.blake2b(digest, digest_size=8, salt=seed.to_bytes(8, "big")).digest(), "big")
        drawn[digest] = (number, note)
        heapq.heappush(largest, (key, digest))
        if len(drawn) > size:
            del drawn[heapq.heappop(largest)[1]]
            counts.left_out[BEYOND] += 1
    return [note for _, note in sorted(drawn.values(), key=lambda item: item[0])]


def write_notes(notes: Iterable[Note], path: Path, counts: NoteCounts) -> None:
    """Write notes as JSON lines, numbered from 0, whole or not at all."""
    with replaced_when_done(path, durable=True) as scratch, open_for_writing(scratch) as file:
        for note in notes:
            line = {"id": counts.kept, "text": note.text, "note": note.id}
            file.write(f"{json.dumps(line, ensure_ascii=False)}\n")
            counts.kept += 1
