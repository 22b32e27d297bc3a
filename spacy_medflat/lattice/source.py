"""What a word source is, and how one saves what it knows."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import srsly

from .words import Words


@runtime_checkable
class WordSource(Protocol):
    """Finds words in texts. Register a maker of one in `registry.misc` to use it in a config."""

    name: str

    def initialize(self) -> None:
        """Read what the settings point to. Called once, before training; never when a pipeline is loaded."""

    def find(self, texts: Sequence[str]) -> Words:
        """The words of each text. `Words.of` makes the answer from plain lists."""

    def to_bytes(self) -> bytes:
        """Everything that `find` needs besides the settings."""

    def from_bytes(self, data: bytes) -> Any:
        """Take over what `to_bytes` gave."""

    def to_disk(self, path: Path) -> None:
        """Like `to_bytes`, as files in a folder."""

    def from_disk(self, path: Path) -> Any:
        """Take over what `to_disk` wrote."""


class FileSource:
    """Saving for sources whose knowledge is a few named files: as a folder, as bytes, and for other processes."""

    name: str

    def files(self) -> dict[str, bytes]:
        """File names and contents; none before there is anything to save."""
        raise NotImplementedError

    def load_files(self, files: dict[str, bytes]) -> None:
        """Take over what `files` gave."""
        raise NotImplementedError

    def to_bytes(self) -> bytes:
        """All files as one MessagePack."""
        return srsly.msgpack_dumps(self.files())

    def from_bytes(self, data: bytes) -> "FileSource":
        """Take over what `to_bytes` gave."""
        self.load_files(srsly.msgpack_loads(data))
        return self

    def to_disk(self, path: Path) -> None:
        """Write the files into a folder. Those of an earlier save that are no longer needed go."""
        path.mkdir(parents=True, exist_ok=True)
        files = self.files()
        for old in path.iterdir():
            if old.is_file() and old.name not in files:
                old.unlink()
        for name, data in files.items():
            (path / name).write_bytes(data)

    def from_disk(self, path: Path) -> "FileSource":
        """Take over what `to_disk` wrote."""
        if not path.is_dir():
            raise ValueError(f"{path}: the words of the source {self.name!r} are not there; save the pipeline again")
        self.load_files({file.name: file.read_bytes() for file in sorted(path.iterdir()) if file.is_file()})
        return self

    def __getstate__(self) -> dict[str, Any]:
        return {**self.settings(), "files": self.files()}

    def __setstate__(self, state: dict[str, Any]) -> None:
        files = state.pop("files")
        self.__init__(**state)  # type: ignore[misc]
        self.load_files(files)

    def settings(self) -> dict[str, Any]:
        """The arguments that make a source like this one."""
        raise NotImplementedError
