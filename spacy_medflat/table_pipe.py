"""The base of the components whose knowledge is a table that users extend."""

from abc import abstractmethod
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

import srsly
from spacy.language import Language
from spacy.training import Example
from spacy.util import SimpleFrozenList, ensure_path, from_bytes, from_disk, to_bytes, to_disk

from .encodings import detect_encoding
from .errors import MedflatError, TableError
from .files import decode, write_text
from .span_pipe import SpanPipe


class TableKind(NamedTuple):
    """What the rows of a table are, and how they are read, written and put together.

    file (str): the name under which it is saved with a component.
    page (str): where its columns are described, for messages.
    parse (callable): the rows in the text of a file, whose name it is told for messages; raises TableError.
    format (callable): the text of a file with some rows, which `parse` reads.
    merge (callable): some rows with others added.
    """

    file: str
    page: str
    parse: Callable[[str, str], Sequence[Any]]
    format: Callable[[Iterable[Any]], str]
    merge: Callable[[Iterable[Any], Iterable[Any]], Sequence[Any]]


class TablePipe(SpanPipe):
    """A component with a table of rows, which is saved with it as a file that can be read and edited.

    kind (TableKind): what its rows are.
    """

    kind: ClassVar[TableKind]
    _rows: tuple[Any, ...] = ()

    @property
    def table(self) -> tuple[Any, ...]:
        """The rows. Work with others by `use`, add some by `add`, at any time."""
        return self._rows

    def use(self, rows: Iterable[Any]) -> None:
        """Work with these rows from now on, and no others."""
        rows = tuple(rows)
        self.compile(rows)
        self._rows = rows

    @abstractmethod
    def compile(self, rows: Sequence[Any]) -> None:
        """Make of the rows what finds them in texts."""

    def add(self, rows: Iterable[Any] | str | Path) -> None:
        """Add rows to the table. How they replace rows that are there, the table's `merge` says.

        rows (iterable, str or Path): the rows, or the path of a file.
        RAISES (TableError): something that cannot be used; the message names file and line. Nothing is changed then.
        """
        self.use(self.kind.merge(self._rows, self.rows_of(rows)))

    def initialize(
        self,
        get_examples: Callable[[], Iterable[Example]],
        *,
        nlp: Language | None = None,
        table: str | Path | None = None,
    ) -> None:
        """Add the rows of a file to the table. Nothing is learnt from the examples.

        table (str, Path or None): the file, as in `[initialize.components.NAME]`; None for the table as it is.
        RAISES (TableError): no such file, or something in it that cannot be used.
        """
        if table is not None:
            self.add(table)

    def rows_of(self, rows: Iterable[Any] | str | Path) -> Sequence[Any]:
        """The rows that are given, or those of a file in UTF-8, UTF-16 or GB18030, checked.

        rows (iterable, str or Path): the rows, or the path of a table.
        RAISES (TableError): something that cannot be used; the message names file and line.
        """
        if not isinstance(rows, str | Path):
            return self.kind.parse(self.kind.format(rows), f"the rows for {self.name!r}")
        path = Path(rows)
        if not path.is_file():
            raise TableError(f"{path}: no such file; {self.name!r} needs a table, see {self.kind.page}")
        data = path.read_bytes()
        return self.kind.parse(_text_of(data, path.name), path.name)

    def to_bytes(self, *, exclude: Iterable[str] = SimpleFrozenList()) -> bytes:
        """Settings and table as bytes.

        exclude (iterable of str): `cfg`, `table`.
        """
        writers = {
            "cfg": lambda: srsly.json_dumps(self.cfg),
            "table": lambda: self.kind.format(self.table).encode("utf-8"),
        }
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
            self.kind.file: lambda place: write_text(place, self.kind.format(self.table)),
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
            self.kind.file: read_table,
        }
        from_disk(ensure_path(path), readers, self._file_names(exclude))
        return self._take_over(loaded)

    def _file_names(self, exclude: Iterable[str]) -> list[str]:
        """What spaCy compares with the files that it would write or read: their names up to the first dot."""
        return [self.kind.file.split(".")[0] if name == "table" else name for name in exclude]

    def _saved(self, data: bytes) -> Sequence[Any]:
        text = decode(data, self.kind.file)
        # A table without rows is an error in a file of a user's, but what a component without one saves.
        return () if text == self.kind.format(()) else self.kind.parse(text, self.kind.file)

    def _take_over(self, loaded: dict[str, Any]) -> "TablePipe":
        # Before the settings, so that an error leaves both.
        if "table" in loaded:
            self.use(loaded["table"])
        self.cfg.update(loaded.get("cfg", {}))
        return self


def _text_of(data: bytes, name: str) -> str:
    encoding = detect_encoding(data, whole=True)
    if encoding == "utf-8":
        return decode(data, name)
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        raise TableError(f"{name}: damaged {encoding.upper()}: {error.reason}; save the file as UTF-8") from error
