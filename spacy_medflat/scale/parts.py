"""The input cut into numbered parts, the same ones every time."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from ..errors import SourceError
from .items import InputPart, Item
from .readers import Meter, read_items
from .sources import STDIN, Source

# A part ends before its number of texts is full once it is about this large, so that memory is bounded.
PART_BYTES = 2**24


@dataclass(frozen=True)
class Parts:
    """Reads the parts that are not done yet. It can be iterated again, and pickled.

    sources (list of Source): what is read.
    size (int): texts in a part.
    done (mapping of int to str or None): the numbers of the parts to skip, each with its digest.
    """

    sources: list[Source]
    size: int
    done: Mapping[int, str | None] = field(default_factory=dict)

    def __iter__(self) -> Iterator[InputPart]:
        """RAISES (SourceError): the rest of a source cannot be read, or standard input is not what it was."""
        meter, piped, number = Meter(), self.piped, 0
        for number, items in enumerate(_cut(read_items(self.sources, meter), self.size), 1):
            digest = _digest(items) if piped else None
            if number not in self.done:
                yield InputPart(number, items, meter.position(), digest)
            elif digest != self.done[number]:
                raise changed(f"part {number}")
        if piped and any(done > number for done in self.done):
            raise changed(f"the end after part {number}")

    @property
    def piped(self) -> bool:
        """Whether standard input is read, which only its texts can identify."""
        return any(str(source.path) == STDIN for source in self.sources)


def changed(what: str) -> SourceError:
    """The error for standard input of which something, such as a part, is not what it was."""
    return SourceError(
        f"{what} of standard input is not what it was in the run that is there; pipe the same texts into it, or start "
        "anew with --force"
    )


def digest_of(digests: Iterable[str | None]) -> str | None:
    """One digest of those of all parts in their order; None if the parts have none."""
    known = list(digests)
    if None in known or not known:
        return None
    return hashlib.sha256("".join(map(str, known)).encode()).hexdigest()


def _cut(items: Iterator[Item], size: int) -> Iterator[list[Item]]:
    part: list[Item] = []
    weight = 0
    for item in items:
        part.append(item)
        weight += _weight(item.raw)
        if len(part) == size or weight >= PART_BYTES:
            yield part
            part, weight = [], 0
    if part:
        yield part


def _weight(raw: object) -> int:
    """About how large a value is, in bytes or characters."""
    if isinstance(raw, (str, bytes)):
        return len(raw)
    if isinstance(raw, dict):
        return sum(map(_weight, raw.values()))
    return sum(map(_weight, raw)) if isinstance(raw, (list, tuple)) else 8


def _digest(items: list[Item]) -> str:
    digest = hashlib.sha256()
    for item in items:
        digest.update(repr((item.kind, item.raw)).encode("utf-8", "backslashreplace"))
    return digest.hexdigest()
