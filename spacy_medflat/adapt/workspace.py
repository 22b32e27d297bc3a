"""The folder beside an output of self-training: notes as short texts, and what they were made of."""

import shutil
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from ..errors import MedflatError
from ..files import locked, read_model, write_json
from ..scale.run_settings import FieldNames
from ..scale.sources import Source, fingerprint
from .note_texts import NoteCounts, distinct, draw, read_notes, write_notes
from .self_train_settings import NoteSettings

_REMEDY = "give another output, or start anew with --force"
_NOTES, _DONE, _LOCK = "notes.jsonl", "notes.json", "_lock"
# In the order in which they are removed.
_OWN = (_DONE, _NOTES, "found-*.jsonl", "found-*.jsonl.run", ".medflat-*")


class Prepared(BaseModel):
    """What notes were made of.

    notes (NoteSettings): what was taken.
    inputs, apart (dict): fingerprints of the notes, and of the corpora whose texts are left out.
    teachers (list of str): digests of the pipelines, whose training texts are left out.
    counts (NoteCounts): what became of them.
    """

    notes: NoteSettings
    inputs: dict[str, Any]
    apart: dict[str, Any]
    teachers: list[str]
    counts: NoteCounts = NoteCounts()

    def differences(self, other: "Prepared") -> list[str]:
        """The names of what another one has otherwise."""
        one, two = (prepared.model_dump(exclude={"counts"}) for prepared in (self, other))
        return [name for name in one if one[name] != two[name]]


class Workspace:
    """The folder. Every file in it appears whole or not at all.

    output (Path): the output beside which it lies.
    """

    def __init__(self, output: Path):
        self.path = output.with_name(f"{output.name}.run")

    @property
    def begun(self) -> bool:
        """Whether the notes are there."""
        return (self.path / _DONE).exists()

    @property
    def notes(self) -> Path:
        """The file of the notes."""
        return self.path / _NOTES

    def found(self, number: int) -> Path:
        """The file of what a pipeline found in them, counted from 0."""
        return self.path / f"found-{number}.jsonl"

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Make the folder, and keep other processes from it. A folder that stays empty is removed.

        RAISES (MedflatError): another process is at work in it.
        """
        self.path.mkdir(parents=True, exist_ok=True)
        try:
            with locked(self.path / _LOCK):
                yield
        finally:
            with suppress(OSError):
                (self.path / _LOCK).unlink(missing_ok=True)
                self.path.rmdir()

    def prepare(
        self,
        wanted: Prepared,
        sources: Sequence[Source],
        names: FieldNames,
        known: Collection[bytes],
        force: bool = False,
        replace: bool = False,
    ) -> NoteCounts:
        """Write the notes as short texts, unless they are there already.

        wanted (Prepared): what they are to be made of.
        sources (sequence of Source), names (FieldNames), known (collection of bytes): see `read_notes`.
        force (bool): start anew.
        replace (bool): start anew if the folder is of another run.
        RETURNS (NoteCounts): what became of them.
        RAISES (MedflatError): the folder is of another run or holds something else, or nothing is left of the notes.
        """
        if self.begun and not force:
            earlier = read_model(self.path / _DONE, Prepared, _REMEDY)
            differences = earlier.differences(wanted)
            if not differences:
                return earlier.counts
            if not replace:
                raise MedflatError(f"{self.path} is of another run, with other {', '.join(differences)}; {_REMEDY}")
        self.clear()
        if strange := [path.name for path in self.path.iterdir() if path.name != _LOCK]:
            raise MedflatError(f"{self.path} holds something else, such as {min(strange)!r}; give another output")
        settings, counts = wanted.notes, NoteCounts()
        found = read_notes(
            sources, names, counts, known=known, max_length=settings.max_length, min_letters=settings.min_letters
        )
        if settings.count is None:
            write_notes(distinct(found, counts), self.notes, counts)
        else:
            write_notes(draw(found, settings.count, settings.seed, counts), self.notes, counts)
        if not counts.kept:
            self.clear()
            raise MedflatError(f"nothing is left of the notes: {'; '.join([str(counts), *counts.failures])}")
        done = wanted.model_copy(update={"counts": counts})
        write_json(self.path / _DONE, done.model_dump(), durable=True)
        return counts

    def clear(self) -> None:
        """Remove what a run wrote, and nothing else. Once the first file is gone, the rest is worth nothing."""
        for pattern in _OWN:
            for path in self.path.glob(pattern):
                shutil.rmtree(path) if path.is_dir() else path.unlink()


def fingerprint_of_files(paths: Sequence[Path]) -> dict[str, Any]:
    """What identifies files, and folders with all files in them, see `fingerprint`.

    RAISES (MedflatError): one is missing.
    """
    for path in paths:
        if not path.exists():
            raise MedflatError(f"{path}: no such file or folder")
    files = [file for path in paths for file in (sorted(path.rglob("*")) if path.is_dir() else [path])]
    sources = [Source(file, "", str(file), "", 0) for file in files if file.is_file()]
    return fingerprint(map(str, paths), sources)
