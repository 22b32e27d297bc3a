"""From files of notes to those that should be annotated next."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ..corpus.formats.registry import read_records
from ..corpus.record import Problem
from ..scale.items import Document, Failure
from ..scale.parse import parse
from ..scale.readers import Meter, read_items
from ..scale.run_settings import FieldNames
from ..scale.sources import Source
from .balance import label_weights
from .choose import LOOKED_AT, Scored, choose
from .duplicates import NearDuplicates
from .pool import KnownTexts, Pool, Texts, draw_pool
from .reading import Reader, ReadNote, read_notes
from .uncertainty import reading_cost


@dataclass(frozen=True)
class SelectSettings:
    """What to choose.

    count (int): how many notes.
    at_random (bool): at random, not by what the pipeline is unsure of.
    pool (int): how many notes the pipeline reads at most.
    max_length (int): longer notes are left out, in characters.
    seed (int): of the draw and of the groups.
    """

    count: int
    at_random: bool = False
    pool: int = 10_000
    max_length: int = 5_000
    seed: int = 0


class Selection(NamedTuple):
    """What was chosen.

    notes (list of ReadNote): with suggestions, those first that stand for most.
    pool (Pool): what there was to choose from, with counts of what was left out.
    """

    notes: list[ReadNote]
    pool: Pool


def read_labelled(paths: Iterable[Path], on_skip: Callable[[Problem], None]) -> list[str]:
    """The texts of annotated files, in any format of `FORMATS`.

    paths (iterable of Path): files or folders.
    on_skip (callable): takes what is told of texts that cannot be read.
    RAISES (MedflatError): a file cannot be read.
    """
    return [record.text for path in paths for record in read_records(path, on_skip=on_skip)]


def select_notes(
    sources: Sequence[Source],
    fields: FieldNames,
    reader: Reader | None,
    settings: SelectSettings,
    labelled: Sequence[str] = (),
    advance: Callable[[str], None] = lambda what: None,
) -> Selection:
    """Choose notes, and find in them what can be suggested to annotators.

    sources (sequence of Source): files of notes.
    fields (FieldNames): names of the fields of text and identifier.
    reader (Reader or None): the pipeline; None for none, so that notes are chosen by what they are about alone, and
        nothing is suggested.
    settings (SelectSettings): how many, and how.
    labelled (sequence of str): texts that are annotated already.
    advance (callable): called with what is being done, for each note that is done.
    RETURNS (Selection): the notes.
    RAISES (SourceError): a source cannot be read on.
    """
    known: list[tuple[str, Texts]] = [("labelled", KnownTexts(labelled))]
    known += [("training text", texts) for texts in (reader.training_texts() if reader else [])]

    def parsed() -> Iterator[Document | Failure]:
        for item in read_items(sources, Meter()):
            advance("drawing")
            yield parse(item, fields)

    pool = draw_pool(parsed(), settings.pool, settings.seed, settings.max_length, known)
    seen = NearDuplicates(labelled)
    if settings.at_random or reader is None:
        texts = [Scored(document.text, 1.0) for document in pool.documents]
        notes = _chosen(pool, texts, list(map(ReadNote, pool.documents)), settings, seen)
        return Selection(_read(reader, notes, pool, advance) if reader else notes, pool)
    read = _read(reader, list(map(ReadNote, pool.documents)), pool, advance)
    return Selection(_chosen(pool, balanced(read, settings.count), read, settings, seen), pool)


def balanced(notes: Sequence[ReadNote], count: int) -> list[Scored]:
    """Texts by what annotating them would tell, with labels weighted as in `balance.label_weights`.

    notes (sequence of ReadNote): all notes to choose from.
    count (int): how many are wanted.
    """
    if not notes:
        return []
    bits = np.array([note.bits for note in notes])
    costs = np.array([reading_cost(note.document.text) for note in notes], dtype=np.float64)
    values = bits @ label_weights(bits, costs, count * LOOKED_AT) / costs
    return [Scored(note.document.text, value) for note, value in zip(notes, values.tolist(), strict=True)]


def _chosen(
    pool: Pool, texts: list[Scored], notes: list[ReadNote], settings: SelectSettings, seen: NearDuplicates
) -> list[ReadNote]:
    choice = choose(texts, settings.count, settings.seed, seen, spread=not settings.at_random)
    for index in choice.near_duplicates:
        pool.leave_out("near-duplicate", notes[index].document.place)
    return [notes[index] for index in choice.chosen]


def _read(reader: Reader, notes: list[ReadNote], pool: Pool, advance: Callable[[str], None]) -> list[ReadNote]:
    """The notes as the pipeline reads them, in their order, without those that it fails on."""
    documents = [note.document for note in notes]
    found: dict[int, ReadNote] = {}
    for index, note in read_notes(reader, documents):
        advance("reading")
        if isinstance(note, str):
            pool.leave_out("failed", f"{documents[index].place}: {note}")
        else:
            found[index] = note
    return [found[index] for index in sorted(found)]
