"""Lines of a file of which some cannot be decoded."""

from collections.abc import Iterator
from pathlib import Path

from ...errors import MedflatError
from ...files import decode


def read_lines(path: Path) -> Iterator[tuple[int, str | MedflatError]]:
    """Read a UTF-8 file line by line, as `files.iter_lines` does, but go on after a line that is not UTF-8.

    YIELDS (tuple of int and (str or MedflatError)): number of the line, from 1, and the line without its end, or why
        it cannot be read.
    """
    with path.open("rb") as file:
        for number, data in enumerate(file, 1):
            try:
                yield number, decode(data, path.name, number).removesuffix("\n").removesuffix("\r")
            except MedflatError as error:
                yield number, error
