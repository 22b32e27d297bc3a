"""What several files of one corpus share and what they lack: leaks and labels."""

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any

from ..errors import amount
from .record import Entity, Problem, Record


def fingerprint(text: str) -> bytes:
    """Hash a text to 16 bytes, so that a whole corpus can be remembered. It must not hold half a surrogate pair."""
    return hashlib.blake2b(text.encode("utf-8"), digest_size=16).digest()


class DuplicateFinder:
    """Finds texts that occur again, by the place and the entities of every text's first record."""

    def __init__(self) -> None:
        self._first: dict[bytes, tuple[str, frozenset[Entity]]] = {}

    def problems(self, record: Record) -> Iterator[Problem]:
        """Compare a record with the first one of its text.

        YIELDS (Problem): a "duplicate_text" if there is one, and a "conflict" if it had other entities.
        """
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
                f"{amount(len(entities - first_entities), 'entity')} only here, "
                f"{len(first_entities - entities)} only in {first_place}",
            )


@dataclass(slots=True)
class Contents:
    """What is remembered of a file.

    places (dict of bytes to str): fingerprint of each text, and its first place.
    labels (Counter of str): entities by label.
    """

    places: dict[bytes, str] = field(default_factory=dict)
    labels: Counter[str] = field(default_factory=Counter)

    def watch(self, records: Iterable[Record]) -> Iterator[Record]:
        """Pass checked records through and remember them. Blank texts are not remembered."""
        for record in records:
            if record.text.strip():
                self.places.setdefault(fingerprint(record.text), record.place)
            self.labels.update(entity.label for entity in record.entities)
            yield record


@dataclass(frozen=True, slots=True)
class Shared:
    """The texts that two files share.

    first, second (str): names of the files.
    places (list of (str, str)): place of each text in the first and in the second file.
    """

    first: str
    second: str
    places: list[tuple[str, str]]

    def problems(self) -> list[Problem]:
        """Report a "shared_text" for each text, at its place in the second file."""
        return [Problem("shared_text", there, f"same text as {here}") for here, there in self.places]

    def to_dict(self) -> dict[str, Any]:
        """As JSON-able values."""
        places = list(map(list, self.places))
        return {"files": [self.first, self.second], "count": len(places), "places": places}


def shared_texts(files: Mapping[str, Contents]) -> list[Shared]:
    """Find every pair of files that share a text.

    files (mapping of str to Contents): the files by name.
    RETURNS (list of Shared): pairs in the order of the files, texts in that of the second file.
    """
    found = []
    for (first, a), (second, b) in combinations(files.items(), 2):
        places = [(a.places[key], place) for key, place in b.places.items() if key in a.places]
        if places:
            found.append(Shared(first, second, places))
    return found


def label_differences(files: Mapping[str, Contents]) -> list[Problem]:
    """Find labels that one file has and another lacks. The first file is taken as the training data.

    Files without any entity, such as a test set, are left out.

    files (mapping of str to Contents): the files by name.
    RETURNS (list of Problem): a "label_mismatch" for a label that the first file lacks, a "label_absent" for one that
        the first file has and a later one lacks.
    """
    labelled = {name: contents.labels for name, contents in files.items() if contents.labels}
    if len(labelled) < 2:
        return []
    (first, learnt), *others = labelled.items()
    problems = []
    for name, labels in others:
        for label in sorted(set(labels) - set(learnt)):
            detail = f"label {label!r} ({amount(labels[label], 'entity')}) does not occur in {first}"
            problems.append(Problem("label_mismatch", name, detail))
        for label in sorted(set(learnt) - set(labels)):
            problems.append(Problem("label_absent", name, f"label {label!r} of {first} does not occur here"))
    return problems
