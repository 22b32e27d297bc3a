"""The folder of a run: what is being done there, and which parts are done.

A part is its files, and a receipt that is written after them: without the receipt the part does not count. All other
names in the folder begin with `_`, which readers of a folder of Parquet files skip.
"""

import json
import shutil
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from ..errors import MedflatError
from ..files import locked, open_for_writing, read_model, replaced_when_done, write_json
from .items import OutputPart, Receipt
from .output import Output
from .parts import digest_of
from .run_settings import OutputSettings
from .writers import PART_FORMATS, join_parts, unify_parts

# In the order in which they are removed: never a receipt without its part, and the manifest last, which shows that the
# rest belongs to a run.
_OWN = ("_summary.json", "_receipts", "part-*", "_errors.jsonl", "_joined", ".medflat-*", "_manifest.json")
_LOCK = "_lock"
_REMEDY = "start anew with --force"


class Manifest(OutputSettings):
    """What a run does, and on what. Another one is another run.

    inputs (dict): see `sources.fingerprint`.
    model (dict): name or folder, a digest of its files, and one of the code that it needs.
    joined (bool): whether the parts become one file in the end.
    versions (dict): of the packages that find and score; a different one is worth a warning only.
    """

    inputs: dict[str, Any]
    model: dict[str, str]
    joined: bool
    versions: dict[str, str]

    def differences(self, other: "Manifest") -> list[str]:
        """What another manifest has otherwise, in words, versions aside."""
        # The same pipeline may lie, or be called, elsewhere.
        aside: Any = {"versions": True, "model": {"name"}}
        one, two = self.model_dump(exclude=aside), other.model_dump(exclude=aside)
        return [f"{name} was {one[name]!r}, now {two[name]!r}" for name in one if one[name] != two[name]]


class RunSummary(BaseModel):
    """What a whole run did.

    documents, entities, failed, parts (int): how many.
    left_out (dict): counts of what the format could not hold, by kind of problem.
    digest (str or None): of all parts of the input, if it was piped.
    """

    documents: int = 0
    entities: int = 0
    failed: int = 0
    parts: int = 0
    left_out: dict[str, int] = {}
    digest: str | None = None


class PartsFolder:
    """The folder of a run. Every file in it appears whole or not at all, and stays after a power failure.

    output (Output): what the run writes; its folder is made when it is first written to.
    """

    def __init__(self, output: Output):
        self.output, self.path = output, output.folder

    def manifest(self) -> Manifest | None:
        """What runs here; None if nothing does.

        RAISES (MedflatError): the folder holds something else, or the manifest is damaged.
        """
        path = self.path / "_manifest.json"
        if path.exists():
            return read_model(path, Manifest, _REMEDY)
        ours = (_LOCK, ".medflat-")
        if self.path.exists() and any(not entry.name.startswith(ours) for entry in self.path.iterdir()):
            raise MedflatError(f"{self.path}: this folder is not empty; give a new or an empty one")
        return None

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep other processes from writing here; the lock ends with the process. The folder is made.

        RAISES (MedflatError): another process writes here.
        """
        self.path.mkdir(parents=True, exist_ok=True)
        try:
            with locked(self.path / _LOCK):
                try:
                    yield
                finally:
                    # Where an open file cannot be removed, it stays.
                    with suppress(OSError):
                        (self.path / _LOCK).unlink()
        finally:
            # A run that did not begin leaves nothing.
            with suppress(OSError):
                self.path.rmdir()

    def begin(self, manifest: Manifest) -> None:
        """Write the manifest, and remove what a killed run left half written."""
        write_json(self.path / "_manifest.json", manifest.model_dump(), durable=True)
        for folder in (self.path, self.path / "_receipts"):
            for path in folder.glob(".medflat-*"):
                shutil.rmtree(path)

    def clear(self) -> None:
        """Remove what a run has written, and nothing else.

        RAISES (MedflatError): the folder holds something else, and no run.
        """
        self.check_own()
        for pattern in _OWN:
            for path in self.path.glob(pattern):
                shutil.rmtree(path) if path.is_dir() else path.unlink()

    def check_own(self) -> None:
        """RAISES (MedflatError): the folder holds something else, and no run, damaged or not."""
        if not (self.path / "_manifest.json").exists():
            self.manifest()

    def write(self, part: OutputPart) -> None:
        """Write a part that is done, then its receipt."""
        with replaced_when_done(self.part_path(part.number), force=True, durable=True) as scratch:
            if PART_FORMATS[self.output.target].suffix:
                scratch.write_bytes(part.files[""])
            else:
                scratch.mkdir()
                for name, data in part.files.items():
                    (scratch / name).parent.mkdir(parents=True, exist_ok=True)
                    (scratch / name).write_bytes(data)
        write_json(self.path / "_receipts" / f"{part.number:06d}.json", part.receipt.model_dump(), durable=True)

    def part_path(self, number: int) -> Path:
        """Where the files of a part are; a folder if the format has a file for each text."""
        return self.path / f"part-{number:06d}{PART_FORMATS[self.output.target].suffix}"

    def receipts(self) -> Iterator[tuple[int, Receipt]]:
        """The number of each part that is done, and its receipt, in order."""
        for path in sorted((self.path / "_receipts").glob("*.json"), key=lambda path: int(path.stem)):
            yield int(path.stem), read_model(path, Receipt, _REMEDY)

    def summary(self) -> RunSummary | None:
        """What the run did; None if it is not complete."""
        path = self.path / "_summary.json"
        return read_model(path, RunSummary, _REMEDY) if path.exists() else None

    def complete(self) -> RunSummary:
        """Make the output of the parts, when all are done, and write the summary and the failures, if there are any."""
        paths = [self.part_path(number) for number, _ in self.receipts()]
        if self.output.joined:
            # In the folder of the run, so that a killed run leaves nothing beside the output.
            joined = self.path / "_joined"
            join_parts(paths, self.output.target, joined)
            joined.replace(self.output.path)
        else:
            unify_parts(paths, self.output.target)
        summary = self._gather()
        write_json(self.path / "_summary.json", summary.model_dump(), durable=True)
        self.tidy()
        return summary

    def _gather(self) -> RunSummary:
        """Sum up the receipts, and write the failures of all parts to `_errors.jsonl`, if there are any."""
        summary = RunSummary()
        left_out: Counter[str] = Counter()
        digests: list[str | None] = []
        errors = self.path / "_errors.jsonl"
        with replaced_when_done(errors, durable=True) as scratch, open_for_writing(scratch) as file:
            for _, receipt in self.receipts():
                summary.parts += 1
                summary.documents += receipt.documents
                summary.entities += receipt.entities
                summary.failed += len(receipt.failures)
                left_out.update(receipt.left_out)
                digests.append(receipt.digest)
                for failure in receipt.failures:
                    file.write(f"{json.dumps(failure._asdict(), ensure_ascii=False)}\n")
        if not summary.failed:
            errors.unlink()
        summary.left_out = dict(sorted(left_out.items()))
        summary.digest = digest_of(digests)
        return summary

    def tidy(self) -> None:
        """Remove what a complete run needs no more: receipts, and parts that are joined."""
        shutil.rmtree(self.path / "_receipts", ignore_errors=True)
        if self.output.joined:
            for path in self.path.glob("part-*"):
                path.unlink()
