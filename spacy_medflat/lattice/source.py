"""What a word source is, and how one saves what it knows."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import srsly

from ..errors import MedflatError
from ..files import replaced_when_done
from .words import Words


@runtime_checkable
class WordSource(Protocol):
    """Finds words in texts. Register a function that makes one in `registry.misc` to use it in a config.

    name (str): what the words found are marked with.
    """

    name: str

    def initialize(self) -> None:
        """Read what the settings point to. Called once, before training; never when a pipeline is loaded."""

    def find(self, texts: Sequence[str]) -> Words:
        """The words of each text. `Words.of` makes the answer from plain lists."""

    def to_bytes(self) -> bytes:
        """Everything that `find` needs besides the settings."""

    def from_bytes(self, data: bytes) -> Any:
        """Load what `to_bytes` gave."""

    def to_disk(self, path: Path) -> None:
        """Like `to_bytes`, as files in a folder."""

    def from_disk(self, path: Path) -> Any:
        """Load what `to_disk` wrote."""


class FileSource:
    """Saving for sources whose knowledge is a few named files: as a folder, as bytes, and for other processes."""

    name: str

    def files(self) -> dict[str, bytes]:
        """File names and contents. Files that are needed are always among them, also empty ones."""
        raise NotImplementedError

    def load_files(self, files: dict[str, bytes]) -> None:
        """Load what `files` gave.

        RAISES (MedflatError): a file is missing or damaged. The source is then as it was.
        """
        raise NotImplementedError

    def settings(self) -> dict[str, Any]:
        """The arguments that make a source like this one."""
        raise NotImplementedError

    def to_bytes(self) -> bytes:
        """All files as one MessagePack."""
        return srsly.msgpack_dumps(self.files())

    def from_bytes(self, data: bytes) -> "FileSource":
        """Load what `to_bytes` gave."""
        self.load_files(srsly.msgpack_loads(data))
        return self

    def to_disk(self, path: Path) -> None:
        """Write the files as a folder, whole or not at all; it replaces one that is there, with all that is in it."""
        files = self.files()
        with replaced_when_done(path, force=True) as scratch:
            scratch.mkdir()
            for name, data in files.items():
                (scratch / name).write_bytes(data)

    def from_disk(self, path: Path) -> "FileSource":
        """Load what `to_disk` wrote.

        RAISES (MedflatError): it is not there, or not what this source wrote. The source is then as it was.
        """
        if not path.is_dir():
            raise MedflatError(f"{path}: the words of the source {self.name!r} are not there; save the pipeline again")
        self.load_files({file.name: file.read_bytes() for file in sorted(path.iterdir()) if file.is_file()})
        return self

    def __getstate__(self) -> dict[str, Any]:
        return {**self.settings(), "files": self.files()}

    def __setstate__(self, state: dict[str, Any]) -> None:
        files = state.pop("files")
        self.__init__(**state)  # type: ignore[misc]
        self.load_files(files)
