"""What the corpus as a whole holds, and where writers differ."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

from rich.table import Table

from spacy_medflat.corpus.nesting import nested_parts
from spacy_medflat.corpus.record import Record

from .brackets import TYPES

MEANT = ({"bod", "ite"}, {"bod", "dru"})


def count_kinds(records: Sequence[Record]) -> Table:
    """A row for each kind of document: sentences, characters, entities by type, shares of nested and bare sentences."""
    table = Table(title="sentences by kind of document")
    for column in ("kind", "sentences", "characters", *TYPES, "nested %", "without entities %"):
        table.add_column(column, justify="left" if column == "kind" else "right")
    groups: defaultdict[str, list[Record]] = defaultdict(list)
    for record in records:
        groups[record.meta["kind"]].append(record)
    for kind, members in [*sorted(groups.items()), ("all", list(records))]:
        labels = Counter(entity.label for record in members for entity in record.entities)
        nested = sum(bool(nested_parts(record.entities)[0]) for record in members)
        bare = sum(not record.entities for record in members)
        n_characters = sum(len(record.text) for record in members)
        counts = [len(members), n_characters, *(labels[label] for label in TYPES)]
        shares = [f"{100 * nested / len(members):.0f}", f"{100 * bare / len(members):.0f}"] if members else ["", ""]
        table.add_row(kind, *map(str, counts), *shares)
    return table


def find_wavering(records: Sequence[Record], settled: Mapping[str, str]) -> list[tuple[str, dict[str, list[str]]]]:
    """Strings that are annotated with several types, though nothing settles them.

    `bod` and `ite`, or `bod` and `dru`, are meant: a cell and its count, a hormone of the body and one that is given.

    settled (mapping of str to str): the strings of labels.tsv.
    RETURNS (list of (str, dict of str to list of str)): the string, and the places of each type, the most frequent
        string first.
    """
    places: defaultdict[str, defaultdict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for record in records:
        for entity in record.entities:
            places[record.text[entity.start : entity.end]][entity.label].append(record.place)
    wavering = [
        (string, dict(by_label))
        for string, by_label in places.items()
        if len(by_label) > 1 and set(by_label) not in MEANT and string not in settled
    ]
    return sorted(wavering, key=lambda item: (-sum(map(len, item[1].values())), item[0]))
