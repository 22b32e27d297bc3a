"""A look at the first texts before a pipeline is loaded, so that a wrong setting is told at once."""

import io
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from itertools import islice
from typing import BinaryIO

from ..encodings import SAMPLE_BYTES, detect_encoding, peek
from ..errors import MedflatError, SourceError, amount
from .items import Failure, Item
from .parse import parse
from .readers import Meter, read_items
from .run_settings import FieldNames
from .sources import STDIN, Source

SOURCES, TEXTS = 20, 20
# One is held in memory as a whole, and has no names of fields that could be wrong.
_NOT_SAMPLED = {"docbin"}


class _Peeked(Meter):
    """Opens what standard input begins with, up to the last end of a line, without taking it."""

    @contextmanager
    def open(self, source: Source) -> Iterator[BinaryIO]:
        with super().open(source) as file:
            if str(source.path) == STDIN:
                begins = peek(file)
                yield io.BytesIO(begins[: begins.rfind(b"\n") + 1])
            else:
                yield file


def check_extras(sources: Sequence[Source], target: str, engine: str) -> None:
    """RAISES (MedflatError): a package that the formats or the engine need is not installed."""
    parquet = target == "parquet" or any(source.kind == "parquet" for source in sources)
    for needed, what, module, extra in (
        (parquet, "Parquet", "pyarrow", "parquet"),
        (engine == "ray", "the engine ray", "ray", "ray"),
    ):
        if needed and not _installed(module):
            raise MedflatError(f"{what} needs {module}: pip install 'spacy-medflat[{extra}]'")


def _installed(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ValueError:
        return False


def check_first_texts(sources: Sequence[Source], names: FieldNames, warn: Callable[[str], None]) -> None:
    """Parse the first texts of the first sources.

    warn (callable): called if files are not in UTF-8.
    RAISES (MedflatError): none of them can be read; the message says why the first cannot.
    """
    sampled = [source for source in sources if source.kind not in _NOT_SAMPLED][:SOURCES]
    outcomes = [parse(item, names) for source in sampled for item in _first_items(source)]
    failures = [outcome for outcome in outcomes if isinstance(outcome, Failure)]
    if failures and len(failures) == len(outcomes):
        first = failures[0]
        others = f"; none of the first {len(failures):,} texts can be read" if len(failures) > 1 else ""
        place = "" if first.reason.startswith(first.place) else f"{first.place}: "
        raise MedflatError(f"{place}{first.reason}{others}. See --text-field, --from and --encoding")
    _tell_encodings(sampled, warn)


def _first_items(source: Source) -> Iterator[Item]:
    # A source that is damaged further on keeps the run for its turn: what comes before it is done.
    with suppress(SourceError):
        yield from islice(read_items([source], _Peeked()), TEXTS)


def _tell_encodings(sources: Sequence[Source], warn: Callable[[str], None]) -> None:
    found: Counter[str] = Counter()
    for source in sources:
        if source.encoding is None and source.kind in ("jsonl", "lines", "csv", "tsv", "text"):
            with Meter().open(source) as file:
                found[detect_encoding(peek(file)[:SAMPLE_BYTES])] += 1
    for encoding in sorted(set(found) - {"utf-8"}):
        warn(
            f"{amount(found[encoding], 'file')} of the first {found.total()} not in UTF-8, read as {encoding.upper()}; "
            "--encoding names another"
        )
