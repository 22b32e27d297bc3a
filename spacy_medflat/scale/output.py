"""Where a run writes, and in which format."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from ..errors import MedflatError
from .sources import STDIN, Source
from .writers import PART_FORMATS

_NOT_WRITTEN = (".json", ".csv", ".tsv", ".txt")
_FILE_FORMATS = {form.suffix: name for name, form in PART_FORMATS.items() if form.suffix}


class Output(NamedTuple):
    """The output of a run.

    path (Path): a file, or a folder for parts.
    target (str): a key of `writers.PART_FORMATS`.
    joined (bool): whether it is a file, which the parts are joined to in the end.
    """

    path: Path
    target: str
    joined: bool

    @property
    def folder(self) -> Path:
        """The folder of the run: the output itself, or beside a file `<output>.run`."""
        return self.path.with_name(f"{self.path.name}.run") if self.joined else self.path

    def check_apart(self, inputs: Sequence[str], sources: Sequence[Source]) -> None:
        """Make sure that no input would be replaced, and nothing written would be read.

        inputs (sequence of str): as they were given.
        sources (sequence of Source): their files.
        RAISES (MedflatError): an input or the output lies where the other is.
        """
        place = self.path.resolve()
        paths = [source.path.resolve() for source in sources if str(source.path) != STDIN]
        if place in paths:
            raise MedflatError(f"{self.path} is one of the inputs; give another output")
        for name in inputs:
            if Path(name).is_dir() and place.is_relative_to(Path(name).resolve()):
                raise MedflatError(f"{self.path} lies in the input folder {name}; give an output outside it")
        for path in paths:
            if any(path.is_relative_to(written) for written in (place, self.folder.resolve())):
                raise MedflatError(f"the input {path} lies where {self.path} is written; give another output")


def find_output(path: Path, target: str = "") -> Output:
    """Find the format of an output, and whether it is one file.

    path (Path): a file if it has the suffix of a format, else a folder.
    target (str): the format of a folder, by default JSON lines.
    RAISES (MedflatError): an unknown format, or another one than that of the file's suffix.
    """
    if target and target not in PART_FORMATS:
        raise MedflatError(f"unknown output format {target!r}; known are {', '.join(PART_FORMATS)}")
    suffix = next((suffix for suffix in _FILE_FORMATS if path.name.lower().endswith(suffix)), None)
    if suffix is None and path.suffix.lower() in _NOT_WRITTEN:
        raise MedflatError(
            f"{path}: {path.suffix} is not written; name a folder, or a file in {', '.join(_FILE_FORMATS)}"
        )
    by_suffix = _FILE_FORMATS[suffix] if suffix else "jsonl"
    if suffix is None or path.is_dir():
        return Output(path, target or by_suffix, joined=False)
    if target not in ("", by_suffix):
        raise MedflatError(f"{path}: this name is for {by_suffix}, not {target}; name a folder, or another file")
    return Output(path, by_suffix, joined=True)
