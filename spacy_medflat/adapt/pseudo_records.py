"""What pipelines found in notes, as records of a corpus."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..corpus.record import Entity, Problem, Record
from ..corpus.report import ranked
from .note_texts import NoteCounts
from .self_train_settings import ChoiceSettings
from .sure_spans import Choice, Quota, Scored, choose, make_quota, merge
from .teacher import Teacher


@dataclass
class Outcome:
    """What a run did.

    notes (NoteCounts): what became of the notes.
    failed (int): pieces that some pipeline could not read.
    texts (int): of the corpus, those that were annotated before aside.
    with_sure (int): those with an entity.
    characters (int): of these texts.
    sure, over, unknown (Counter of str): entities, those that a limit turned into unknown spans, and all unknown spans,
        by label.
    joined (int): texts that were annotated before and stand first.
    problems (list of Problem): what was broken in these, or cannot be written.
    """

    notes: NoteCounts
    failed: int = 0
    texts: int = 0
    with_sure: int = 0
    characters: int = 0
    sure: Counter[str] = field(default_factory=Counter)
    over: Counter[str] = field(default_factory=Counter)
    unknown: Counter[str] = field(default_factory=Counter)
    joined: int = 0
    problems: list[Problem] = field(default_factory=list)

    def to_dict(self) -> dict[str, Any]:
        """As JSON-able values."""
        labels = {name: dict(ranked(getattr(self, name))) for name in ("sure", "over", "unknown")}
        numbers = {name: getattr(self, name) for name in ("failed", "texts", "with_sure", "characters", "joined")}
        return {"notes": self.notes.model_dump(), **numbers, **labels, "problems": list(map(str, self.problems))}


def labelled(
    found: Sequence[Path], teachers: Sequence[Teacher], settings: ChoiceSettings, outcome: Outcome
) -> Iterator[Record]:
    """The notes with what is to be learnt of them.

    found (sequence of Path): what each pipeline found, as JSON lines with ascending `id`.
    teachers (sequence of Teacher): the pipelines.
    settings (ChoiceSettings): what is taken.
    outcome (Outcome): counts them.
    YIELDS (Record): each note.
    """
    quota = Quota({})
    if settings.most is not None or settings.share is not None:
        choices = (choice for _, choice in _choices(found, teachers, settings))
        quota = make_quota(choices, settings.most, settings.share)
    for note, before in _choices(found, teachers, settings):
        choice = quota.apply(before)
        outcome.texts += 1
        outcome.with_sure += bool(choice.sure)
        outcome.characters += len(note["text"])
        outcome.sure.update(span.label for span in choice.sure)
        outcome.unknown.update(span.label for span in choice.unknown)
        outcome.over.update(span.label for span in before.sure)
        outcome.over.subtract(span.label for span in choice.sure)
        yield Record(
            note["text"],
            _entities(choice.sure),
            id=note["note"],
            place=f"piece {note['id']}",
            unknown=_entities(choice.unknown),
            weight=settings.weight,
        )


def _choices(
    paths: Sequence[Path], teachers: Sequence[Teacher], settings: ChoiceSettings
) -> Iterator[tuple[dict[str, Any], Choice]]:
    """Each piece that all pipelines could read, and what is to be learnt of it."""
    labels = [teacher.labels for teacher in teachers]
    first, *others = map(_lines, paths)
    waiting = [next(lines, None) for lines in others]
    for note in first:
        for i, lines in enumerate(others):
            while (line := waiting[i]) and line["id"] < note["id"]:
                waiting[i] = next(lines, None)
        rows = [note, *(line for line in waiting if line and line["id"] == note["id"])]
        if len(rows) == len(teachers):
            found = [{(e["start"], e["end"], e["label"]): e["score"] for e in row["entities"]} for row in rows]
            spans = merge(found, labels, settings.agree)
            yield note, choose(spans, settings.sure, settings.unlikely, teachers[0].nesting)


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    with path.open(encoding="utf-8", newline="\n") as file:
        yield from map(json.loads, file)


def _entities(spans: Iterable[Scored]) -> list[Entity]:
    return [Entity(span.start, span.end, span.label, score=round((span.low + span.high) / 2, 4)) for span in spans]
