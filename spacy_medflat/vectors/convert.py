"""A word2vec file to spaCy vectors."""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from ..errors import MedflatError
from ..lattice.rules import WordRules
from .store import TableBuilder, VectorTable, vectors_folder, write_vectors
from .streams import open_stream
from .word2vec import Header, Row, iter_rows, parse, read_header

_ONE_CHARACTER = WordRules(1, 1)


def is_character(word: str) -> bool:
    """Whether the word is a single Chinese character."""
    return _ONE_CHARACTER.allow(word)


@dataclass(frozen=True, slots=True)
class WordFilter:
    """What to keep. Single Chinese characters pass always: missing words are composed of them.

    rules: Limits on length and characters.
    words: If given, only these words, whatever the rules say.
    """

    rules: WordRules = field(default_factory=WordRules)
    words: Collection[str] | None = None

    def reason_against(self, word: str) -> str | None:
        """Why the word is left out, as a heading for counts, or None if it is kept."""
        if is_character(word):
            return None
        if not word or any(map(str.isspace, word)):
            return "empty or with a space inside"
        if self.words is not None:
            return None if word in self.words else "not in the list of words"
        return self.rules.reason(word)


Progress = Callable[[int], None]

NOT_UTF8 = "not UTF-8"

_REPORT_EVERY = 1000


@dataclass(slots=True)
class Summary:
    """What was read and what became of it.

    `rows` were read; `kept` is how many became vectors of `dimension` numbers, `characters` of them single Chinese
    characters; `skipped` counts the others by reason. `announced` is the number in the file's header, if it has one.
    """

    dimension: int
    announced: int | None
    rows: int = 0
    kept: int = 0
    characters: int = 0
    skipped: Counter[str] = field(default_factory=Counter)


def convert_vectors(
    source: Path,
    target: Path,
    *,
    keep: WordFilter,
    count: int | None = None,
    binary: bool | None = None,
    force: bool = False,
    progress: Progress | None = None,
) -> Summary:
    """Read a word2vec file and write the words worth keeping as a pipeline folder with spaCy vectors.

    count: Read this many rows only; files are sorted by frequency. None reads all.
    binary: How the file is stored; None finds out.
    force: Replace a target that is a folder of vectors.
    progress: Called now and then with the number of bytes of the file that are done.
    RAISES (MedflatError): A file that cannot be read, or that has nothing to keep; or a target in the way.
    """
    # A target in the way is found before the work, not after it.
    with vectors_folder(target, force) as scratch:
        table, summary = load_vectors(source, keep=keep, count=count, binary=binary, progress=progress)
        if not table.words:
            reasons = ", ".join(f"{number:,} {reason}" for reason, number in summary.skipped.most_common())
            raise MedflatError(f"{source}: none of {summary.rows:,} words is kept ({reasons}); loosen the filter")
        write_vectors(table, scratch)
    return summary


def load_vectors(
    source: Path,
    *,
    keep: WordFilter,
    count: int | None = None,
    binary: bool | None = None,
    progress: Progress | None = None,
) -> tuple[VectorTable, Summary]:
    """The words of a word2vec file that are worth keeping, with their vectors. See `convert_vectors`.

    Memory is that of the kept words. Numbers of words that are left out are counted but not parsed.
    RAISES (MedflatError): A file that cannot be read, or most of whose words are not UTF-8.
    """
    with _rows(source, binary, progress) as (header, rows):
        builder = TableBuilder(header.dimension)
        summary = Summary(header.dimension, header.rows)
        for row in islice(rows, count):
            summary.rows += 1
            word = _decoded(row.word)
            reason = NOT_UTF8 if word is None else keep.reason_against(word)
            if reason is None and word in builder:
                reason = "repeated"
            if reason is None and word is not None:
                builder.add(word, parse(row, header, source.name))
                summary.characters += is_character(word)
            else:
                summary.skipped[str(reason)] += 1
    table = builder.finish()
    summary.kept = len(table.words)
    garbled = summary.skipped[NOT_UTF8]
    if 2 * garbled > summary.rows:
        raise MedflatError(
            f"{source}: {garbled:,} of {summary.rows:,} words are not UTF-8; save the file as UTF-8, or, if it is "
            f"binary, see whether its vectors have the {summary.dimension} numbers that its header says"
        )
    return table, summary


@contextmanager
def _rows(source: Path, binary: bool | None, progress: Progress | None) -> Iterator[tuple[Header, Iterable[Row]]]:
    with open_stream(source) as stream:
        header = read_header(stream.file, source.name, binary)

        def watched() -> Iterator[Row]:
            for number, row in enumerate(iter_rows(stream.file, header, source.name)):
                if progress and number % _REPORT_EVERY == 0:
                    progress(stream.position())
                yield row

        yield header, watched()


def _decoded(word: bytes) -> str | None:
    try:
        return word.decode("utf-8")
    except UnicodeDecodeError:
        return None
