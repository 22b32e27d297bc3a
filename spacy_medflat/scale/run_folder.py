"""The folder of a run: what is being done there, and which parts are done.

A part is its files, and a receipt that is written after them: without the receipt the part does not count. Everything
else in the folder begins with `_`, so that those who read a folder of Parquet files pass it over.
"""

import json
import shutil
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from ..errors import MedflatError
from ..files import locked, open_for_writing, replaced_when_done, write_json
from .items import Failure, OutputPart
from .parse import Fields
from .parts import digest_of
from .writers import FORMATS

# In the order in which they are removed: never a receipt without its part, and the manifest last, by which what is left
# is known to be of a run.
_OWN = ("_summary.json", "_receipts", "part-*", "_errors.jsonl", "_joined", ".medflat-*", "_manifest.json")


class Manifest(BaseModel):
    """What a run does, and on what. Another one is another run.

    inputs: See `sources.fingerprint`.
    model: Name or folder, a digest of its files, and one of the code that it needs.
    target: A key of `writers.FORMATS`.
    joined: Whether the parts become one file in the end.
    versions: Of the packages that find and score; others are worth a warning only.
    """

    inputs: dict[str, Any]
    kind: str | None
    model: dict[str, str]
    target: str
    joined: bool
    fields: Fields
    spans_key: str | None
    mixed_precision: bool
    batch_size: int
    buffer: int
    versions: dict[str, str]

    def differences(self, other: "Manifest") -> list[str]:
        """What another manifest has otherwise, in words, versions aside."""
        # The same pipeline may lie, or be called, elsewhere.
        apart: Any = {"versions": True, "model": {"name"}}
        one, two = self.model_dump(exclude=apart), other.model_dump(exclude=apart)
        return [f"{name} was {one[name]!r}, now {two[name]!r}" for name in one if one[name] != two[name]]


class Receipt(BaseModel):
    """What is remembered of a part that is done. `digest` is that of its input, if it was piped."""

    documents: int
    entities: int
    failures: list[Failure]
    left_out: dict[str, int]
    digest: str | None


class Summary(BaseModel):
    """What a whole run did. `left_out` counts what the format could not hold, by kind of problem.

    digest: Of all parts of the input, if it was piped.
    """

    documents: int = 0
    entities: int = 0
    failed: int = 0
    parts: int = 0
    left_out: dict[str, int] = {}
    digest: str | None = None


class RunFolder:
    """The folder of a run. Every file in it appears whole or not at all, and stays after a power failure."""

    def __init__(self, path: Path, target: str):
        """path: The folder, made when it is first written to. target: A key of `writers.FORMATS`."""
        self.path, self.target = path, target

    def manifest(self) -> Manifest | None:
        """What runs here; None if nothing does.

        RAISES (MedflatError): The folder holds something else, or the manifest is damaged.
        """
        path = self.path / "_manifest.json"
        if path.exists():
            return _read(Manifest, path)
        if self.path.exists() and any(not entry.name.startswith(".medflat-") for entry in self.path.iterdir()):
            raise MedflatError(f"{self.path}: this folder is not empty; give a new or an empty one")
        return None

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep other processes from writing here; the lock ends with the process. The folder is made.

        RAISES (MedflatError): Another process writes here.
        """
        self.path.mkdir(parents=True, exist_ok=True)
        try:
            with locked(self.path):
                yield
        finally:
            # A run that did not begin leaves nothing.
            with suppress(OSError):
                self.path.rmdir()

    def begin(self, manifest: Manifest) -> None:
        """Say what runs here."""
        write_json(self.path / "_manifest.json", manifest.model_dump(), durable=True)

    def clear(self) -> None:
        """Remove what a run has written, and nothing else.

        RAISES (MedflatError): The folder holds something else, and no run.
        """
        self.check_own()
        for pattern in _OWN:
            for path in self.path.glob(pattern):
                shutil.rmtree(path) if path.is_dir() else path.unlink()

    def check_own(self) -> None:
        """RAISES (MedflatError): The folder holds something else, and no run, damaged or not."""
        if not (self.path / "_manifest.json").exists():
            self.manifest()

    def remove_scratch(self) -> None:
        """Remove what a killed run left half written."""
        for folder in (self.path, self.path / "_receipts"):
            for path in folder.glob(".medflat-*"):
                shutil.rmtree(path)

    def write(self, part: OutputPart) -> None:
        """Write a part that is done, then its receipt."""
        with replaced_when_done(self.part_path(part.number), force=True, durable=True) as scratch:
            if FORMATS[self.target].suffix:
                scratch.write_bytes(part.files[""])
            else:
                scratch.mkdir()
                for name, data in part.files.items():
                    (scratch / name).parent.mkdir(parents=True, exist_ok=True)
                    (scratch / name).write_bytes(data)
        receipt = Receipt(
            documents=part.documents,
            entities=part.entities,
            failures=part.failures,
            left_out=part.left_out,
            digest=part.digest,
        )
        write_json(self._receipt_path(part.number), receipt.model_dump(), durable=True)

    def part_path(self, number: int) -> Path:
        """Where the files of a part are; a folder if the format has a file for each text."""
        return self.path / f"part-{number:06d}{FORMATS[self.target].suffix}"

    def _receipt_path(self, number: int) -> Path:
        return self.path / "_receipts" / f"{number:06d}.json"

    def receipts(self) -> Iterator[tuple[int, Receipt]]:
        """The number of each part that is done, and its receipt, in order."""
        for path in sorted((self.path / "_receipts").glob("*.json"), key=lambda path: int(path.stem)):
            yield int(path.stem), _read(Receipt, path)

    def summary(self) -> Summary | None:
        """What the run did; None if it is not complete."""
        path = self.path / "_summary.json"
        return _read(Summary, path) if path.exists() else None

    def complete(self) -> Summary:
        """Gather the failures of all parts in `_errors.jsonl`, if there are any, and write the summary."""
        summary = Summary()
        left_out: Counter[str] = Counter()
        digests: list[str | None] = []
        errors = self.path / "_errors.jsonl"
        with replaced_when_done(errors, durable=True) as scratch, open_for_writing(scratch) as file:
            for _, receipt in self.receipts():
                summary.parts += 1
                digests.append(receipt.digest)
                summary.documents += receipt.documents
                summary.entities += receipt.entities
                summary.failed += len(receipt.failures)
                left_out.update(receipt.left_out)
                for failure in receipt.failures:
                    file.write(f"{json.dumps(Failure(*failure)._asdict(), ensure_ascii=False)}\n")
        if not summary.failed:
            errors.unlink()
        summary.left_out = dict(sorted(left_out.items()))
        summary.digest = digest_of(digests)
        write_json(self.path / "_summary.json", summary.model_dump(), durable=True)
        return summary

    def tidy(self, joined: bool) -> None:
        """Remove what a complete run needs no more: receipts, and parts that are joined."""
        shutil.rmtree(self.path / "_receipts", ignore_errors=True)
        if joined:
            for path in self.path.glob("part-*"):
                path.unlink()


def _read(model: type[Any], path: Path) -> Any:
    try:
        return model.model_validate_json(path.read_bytes())
    except ValidationError as error:
        raise MedflatError(f"{path}: damaged, or of another version; start anew with --force") from error
