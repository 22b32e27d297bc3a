"""A word2vec file to spaCy vectors."""

from collections import Counter
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from ..errors import MedflatError
from ..lattice.rules import WordRules
from .store import TableBuilder, VectorTable, vectors_folder, write_vectors
from .streams import open_stream
from .word2vec import iter_rows, parse, read_header

Progress = Callable[[int], None]

NOT_UTF8 = "not UTF-8"

_ONE_CHARACTER = WordRules(1, 1)
# Rows between two reports of progress.
_REPORT_EVERY = 1000


def is_character(word: str) -> bool:
    """Whether the word is a single Chinese character."""
    return _ONE_CHARACTER.allow(word)


@dataclass(frozen=True, slots=True)
class WordFilter:
    """Which words to keep. Single Chinese characters pass always: missing words are composed of them.

    rules (WordRules): limits on length and characters.
    words (collection of str or None): if given, only these words pass, whatever the rules say.
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


@dataclass(slots=True)
class ConversionSummary:
    """What was read and what became of it.

    dimension (int): numbers in a vector.
    announced (int or None): rows that the file's header names, if it has one.
    rows (int): rows that were read.
    kept (int): words that were kept.
    characters (int): those of them that are single Chinese characters.
    skipped (Counter): the others, by reason.
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
) -> ConversionSummary:
    """Read a word2vec file and write the words to keep as a pipeline folder with spaCy vectors.

    source (Path): the file; see `open_stream` for compressed ones.
    target (Path): the folder.
    keep (WordFilter): decides which words are kept.
    count (int or None): read this many rows only; files are sorted by frequency. None reads all.
    binary (bool or None): how the file is stored; None finds out.
    force (bool): replace a target that is a folder of vectors.
    progress (callable or None): called now and then with the number of bytes of the file that are done.
    RETURNS (ConversionSummary): what was kept, and what was not.
    RAISES (MedflatError): the file cannot be read, it has nothing to keep, or the target is in the way.
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
) -> tuple[VectorTable, ConversionSummary]:
    """Read the words to keep of a word2vec file, with their vectors.

    Memory is that of the kept words. Numbers of words that are left out are counted but not parsed. A repeated word
    keeps its first vector.

    source, keep, count, binary, progress: see `convert_vectors`.
    RETURNS (VectorTable, ConversionSummary): what was kept, and what was not.
    RAISES (MedflatError): the file cannot be read, or most of its words are not UTF-8.
    """
    with open_stream(source) as stream:
        header = read_header(stream.file, source.name, binary)
        builder = TableBuilder(header.dimension)
        summary = ConversionSummary(header.dimension, header.rows)
        for row in islice(iter_rows(stream.file, header, source.name), count):
            if progress and summary.rows % _REPORT_EVERY == 0:
                progress(stream.position())
            summary.rows += 1
            try:
                word = row.word.decode("utf-8")
                reason = "repeated" if word in builder else keep.reason_against(word)
            except UnicodeDecodeError:
                reason = NOT_UTF8
            if reason:
                summary.skipped[reason] += 1
            else:
                builder.add(word, parse(row, header, source.name))
                summary.kept += 1
                summary.characters += is_character(word)
    garbled = summary.skipped[NOT_UTF8]
    if 2 * garbled > summary.rows:
        raise MedflatError(
            f"{source}: {garbled:,} of {summary.rows:,} words are not UTF-8; save the file as UTF-8, or, if it is "
            f"binary, see whether its vectors have the {summary.dimension} numbers that its header says"
        )
    return builder.finish(), summary
