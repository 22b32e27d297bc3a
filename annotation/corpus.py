"""From source files to the files that pipelines are trained on."""

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from spacy_medflat.corpus.compare import fingerprint
from spacy_medflat.corpus.formats.cmeee import read_cmeee, write_cmeee
from spacy_medflat.corpus.record import Record

from .source import Fault, read_source

CORPUS = Path(__file__).parents[1] / "assets" / "corpus"
SOURCES = CORPUS / "source"
HELD_OUT = frozenset({"case_report", "consultation", "leaflet"})
"""The kinds of document that only dev.json has: what a pipeline has not seen is part of the test."""

DEV_SHARE = 10
"""One sentence in so many of the other kinds is for dev.json."""


def source_files() -> list[Path]:
    """The source files of the corpus, by name."""
    return [path for path in sorted(SOURCES.glob("*.txt")) if path.name != "set_phrases.txt"]


def read_sources(paths: Iterable[Path]) -> tuple[list[Record], dict[str, list[Fault]]]:
    """Read source files.

    RETURNS (list of Record, dict of str to list of Fault): all sentences; the faults of each file that has some.
    """
    records: list[Record] = []
    faults = {}
    for path in paths:
        of_file, wrong = read_source(path)
        records += of_file
        if wrong:
            faults[path.name] = wrong
    return records, faults


def split(records: Sequence[Record]) -> tuple[list[Record], list[Record]]:
    """Divide sentences into those to train on and those to test on. A sentence stays where it is when others come.

    RETURNS (list of Record, list of Record): train, dev.
    """
    train: list[Record] = []
    dev: list[Record] = []
    for record in records:
        (dev if _is_dev(record) else train).append(record)
    return train, dev


def _is_dev(record: Record) -> bool:
    return record.meta["kind"] in HELD_OUT or int.from_bytes(fingerprint(record.text)[:4], "big") % DEV_SHARE == 0


def write_corpus(records: Sequence[Record], folder: Path) -> tuple[int, int]:
    """Write train.json and dev.json in the CMeEE layout, with `kind` and `department` beside each text.

    Kinds are mixed, so that the first texts of a file are a sample of it.

    RETURNS (int, int): their numbers of sentences.
    """
    mixed = sorted(records, key=lambda record: fingerprint(record.text))
    parts = split([replace(record, meta={k: v for k, v in record.meta.items() if k != "line"}) for record in mixed])
    for name, part in zip(("train", "dev"), parts, strict=True):
        write_cmeee(part, folder / f"{name}.json")
    return len(parts[0]), len(parts[1])


def cmeee_texts() -> Iterator[tuple[str, str]]:
    """The texts of CMeEE under the folder MEDFLAT_DATA, with their places; none without it."""
    folder = os.environ.get("MEDFLAT_DATA")
    for path in sorted(Path(folder, "cmeee").glob("*.json")) if folder else ():
        for record in read_cmeee(path):
            yield record.place, record.text
