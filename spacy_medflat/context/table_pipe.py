"""The base of the components whose knowledge is a table that users extend."""

from abc import abstractmethod
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, ClassVar

import srsly
from spacy.language import Language
from spacy.training import Example
from spacy.util import SimpleFrozenList, ensure_path, from_bytes, from_disk, to_bytes, to_disk

from ..errors import ContextError, MedflatError
from ..files import decode, write_text
from ..span_pipe import SpanPipe


class TablePipe(SpanPipe):
    """A component with a table of rows, which is saved with it as a file that can be read and edited.

    table_file (str): name of that file.
    table (tuple): the rows. Set it, or add to it, at any time.
    """

    table_file: ClassVar[str]

    @abstractmethod
    def parse(self, text: str, name: str) -> Sequence[Any]:
        """The rows in the text of a file. RAISES (ContextError): it is no such table."""

    @abstractmethod
    def format(self, rows: Iterable[Any]) -> str:
        """The text of a file with these rows."""

    @abstractmethod
    def use(self, rows: Sequence[Any]) -> None:
        """Work with these rows from now on."""

    @property
    @abstractmethod
    def table(self) -> tuple[Any, ...]:
        """The rows."""

    def initialize(
        self,
        get_examples: Callable[[], Iterable[Example]],
        *,
        nlp: Language | None = None,
        table: str | Path | None = None,
    ) -> None:
        """Add the rows of a file to the table. Nothing is learnt from the examples.

        table (str, Path or None): the file, as in `[initialize.components.NAME]`; None for the table as it is.
        RAISES (ContextError): no such file, or something in it that cannot be used.
        """
        if table is not None:
            self.add(table)

    @abstractmethod
    def add(self, rows: Any) -> None:
        """Add rows, or those of a file."""

    def rows_of(self, rows: Iterable[Any] | str | Path) -> Sequence[Any]:
        """The rows that are given, or those of a file, checked.

        rows (iterable, str or Path): the rows, or the path of a table.
        RAISES (ContextError): something that cannot be used; the message names file and line.
        """
        if not isinstance(rows, str | Path):
            return self.parse(self.format(rows), f"the rows for {self.name!r}")
        path = Path(rows)
        if not path.is_file():
            raise ContextError(f"{path}: no such file; {self.name!r} needs a table, see docs/context.md")
        return self.parse(decode(path.read_bytes(), path.name), path.name)

    def to_bytes(self, *, exclude: Iterable[str] = SimpleFrozenList()) -> bytes:
        """Settings and table as bytes.

        exclude (iterable of str): `cfg`, `table`.
        """
        writers = {"cfg": lambda: srsly.json_dumps(self.cfg), "table": lambda: self.format(self.table).encode("utf-8")}
        return to_bytes(writers, exclude)

    def from_bytes(self, data: bytes, *, exclude: Iterable[str] = SimpleFrozenList()) -> "TablePipe":
        """Load what `to_bytes` gave. For the rest see `from_disk`."""
        loaded: dict[str, Any] = {}
        readers: dict[str, Callable[[bytes], Any]] = {
            "cfg": lambda part: loaded.update(cfg=srsly.json_loads(part)),
            "table": lambda part: loaded.update(table=self._saved(part)),
        }
        from_bytes(data, readers, exclude)
        return self._take_over(loaded)

    def to_disk(self, path: str | Path, *, exclude: Iterable[str] = SimpleFrozenList()) -> None:
        """Write settings and table as a folder.

        exclude (iterable of str): `cfg`, `table`.
        """
        writers: dict[str, Callable[[Path], Any]] = {
            "cfg": lambda place: srsly.write_json(place, self.cfg),
            self.table_file: lambda place: write_text(place, self.format(self.table)),
        }
        to_disk(path, writers, self._file_names(exclude))

    def from_disk(self, path: str | Path, *, exclude: Iterable[str] = SimpleFrozenList()) -> "TablePipe":
        """Load what `to_disk` wrote. After an error the component is as it was.

        exclude (iterable of str): `cfg`, `table`.
        RAISES (MedflatError): the table is missing, or something in it cannot be used.
        """
        loaded: dict[str, Any] = {}

        def read_table(place: Path) -> None:
            if not place.is_file():
                raise MedflatError(f"{place}: the table of {self.name!r} is not there; save the pipeline again")
            loaded["table"] = self._saved(place.read_bytes())

        readers: dict[str, Callable[[Path], Any]] = {
            "cfg": lambda place: loaded.update(cfg=srsly.read_json(place)),
            self.table_file: read_table,
        }
        from_disk(ensure_path(path), readers, self._file_names(exclude))
        return self._take_over(loaded)

    def _file_names(self, exclude: Iterable[str]) -> list[str]:
        """What spaCy compares with the files that it would write or read: their names up to the first dot."""
        return [self.table_file.split(".")[0] if name == "table" else name for name in exclude]

    def _saved(self, data: bytes) -> Sequence[Any]:
        return self.parse(decode(data, self.table_file), self.table_file)

    def _take_over(self, loaded: dict[str, Any]) -> "TablePipe":
        self.cfg.update(loaded.get("cfg", {}))
        if "table" in loaded:
            self.use(loaded["table"])
        return self
