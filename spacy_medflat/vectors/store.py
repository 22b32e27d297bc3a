"""Words with vectors: collected in memory, written as spaCy vectors or as word2vec text, read again, and looked up."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tokenize import TokenError
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ..corpus.formats.docbin import blank_pipeline
from ..errors import MedflatError
from ..files import replaced_when_done, write_lines
from .word2vec import Floats

if TYPE_CHECKING:
    from spacy.vocab import Vocab

_GROWTH = 1.25
_FIRST_ROWS = 1024


class VectorTable(NamedTuple):
    """Words and their vectors.

    words (list of str): distinct words.
    matrix (float32 [words, dimension]): the vector of each.
    """

    words: list[str]
    matrix: Floats


class TableBuilder:
    """Collects words and vectors; takes at most a quarter more memory than the rows it holds.

    dimension (int): numbers in a vector.
    """

    def __init__(self, dimension: int) -> None:
        self._matrix: Floats = np.zeros((0, dimension), dtype=np.float32)
        self._rows: dict[str, int] = {}

    def __contains__(self, word: object) -> bool:
        return word in self._rows

    def add(self, word: str, vector: Floats) -> None:
        """Add a word with its vector.

        word (str): not added before.
        vector (float32 [dimension]): copied.
        RAISES (ValueError): the word is there already.
        """
        row = len(self._rows)
        if self._rows.setdefault(word, row) != row:
            raise ValueError(f"{word!r} has a vector already")
        if row == len(self._matrix):
            self._resize(max(_FIRST_ROWS, int(row * _GROWTH)))
        self._matrix[row] = vector

    def finish(self) -> VectorTable:
        """The table, in the order of adding. The builder is empty afterwards."""
        self._resize(len(self._rows))
        table = VectorTable(list(self._rows), self._matrix)
        self._matrix, self._rows = np.zeros((0, table.matrix.shape[1]), dtype=np.float32), {}
        return table

    def _resize(self, rows: int) -> None:
        # In place and without a copy where the system can. There is no other reference to the array yet.
        self._matrix.resize((rows, self._matrix.shape[1]), refcheck=False)


@contextmanager
def vectors_folder(target: Path, force: bool = False) -> Iterator[Path]:
    """Give a path of the same name for a folder of vectors, which replaces the target if the block succeeds.

    target (Path): the folder.
    force (bool): replace a folder that holds vectors.
    YIELDS (Path): where to write.
    RAISES (MedflatError): the target is a file, or a folder with something else in it, or with vectors, without
        `force`.
    """
    if target.exists() and not target.is_dir():
        raise MedflatError(f"{target}: there is a file of this name; give a new or an empty folder")
    if force and target.is_dir() and any(target.iterdir()) and not (target / "vocab" / "vectors").is_file():
        raise MedflatError(f"{target}: this folder is not empty, and holds no vectors; give a new or an empty one")
    with replaced_when_done(target, force) as scratch:
        yield scratch


def write_vectors(table: VectorTable, folder: Path, lang: str = "zh") -> None:
    """Write a blank pipeline with these vectors, for `[initialize] vectors`, `spacy.load` and `--initialize.vectors`.

    The folder appears whole or not at all.

    table (VectorTable): at least one word.
    folder (Path): new or empty.
    lang (str): language of the pipeline.
    RAISES (MedflatError): there are no words, or there is something in the folder.
    """
    from spacy.vectors import Vectors

    if not table.words:
        raise MedflatError(f"{folder}: there is no word to write")
    nlp = blank_pipeline(lang)
    keys = [nlp.vocab.strings.add(word) for word in table.words]
    nlp.vocab.vectors = Vectors(strings=nlp.vocab.strings, data=table.matrix, keys=keys, name=f"{folder.name}.vectors")
    nlp.meta["vectors"]["name"] = nlp.vocab.vectors.name
    with replaced_when_done(folder) as scratch:
        nlp.to_disk(scratch)


def write_word2vec(table: VectorTable, path: Path) -> None:
    """Write word2vec text, gzipped if the name ends in `.gz`; the same table gives the same bytes.

    table (VectorTable): the words and vectors.
    path (Path): the file.
    RAISES (MedflatError): a word is empty or has white space in it, which the format cannot hold.
    """
    for word in table.words:
        if not word or any(map(str.isspace, word)):
            raise MedflatError(f"{path}: {word!r} is empty or has a space in it, which word2vec text cannot hold")
    write_lines(path, _lines(table))


def _lines(table: VectorTable) -> Iterator[str]:
    yield f"{len(table.words)} {table.matrix.shape[1]}\n"
    for word, vector in zip(table.words, table.matrix, strict=True):
        yield f"{word} {' '.join(f'{value:.5g}' for value in vector.tolist())}\n"


def read_vocab(folder: Path) -> "Vocab":
    """The vocabulary of a pipeline folder, with its vectors and without the rest of the pipeline.

    RAISES (MedflatError): the folder has no vectors, or they cannot be read.
    """
    from spacy.vocab import Vocab

    path = folder / "vocab"
    if not (path / "vectors").is_file():
        raise MedflatError(f"{folder}: no pipeline with vectors; it has no file vocab/vectors")
    try:
        vocab = Vocab().from_disk(path, exclude=["lookups"])
    except (ValueError, OSError, EOFError, TokenError) as error:
        raise MedflatError(f"{folder}: the vectors cannot be read: {error}") from error
    if not vocab.vectors.key2row:
        raise MedflatError(f"{folder}: the pipeline has no vectors of words")
    return vocab


def has_vector(vocab: "Vocab") -> Callable[[str], bool]:
    """Make a function that tells whether a word has a vector, and that leaves the vocabulary as it is."""
    from spacy.strings import get_string_id

    rows = vocab.vectors.key2row
    return lambda word: get_string_id(word) in rows


@dataclass(frozen=True, slots=True)
class VectorCoverage:
    """How many words have a vector. `str` gives a summary in one line.

    total (int): all words.
    with_vector (int): those that have one.
    composable (int): those that have none, but one of whose characters has. FLAT reads such a word as the mean of the
        characters that have a vector, unless `missing = "drop"`.
    """

    total: int = 0
    with_vector: int = 0
    composable: int = 0

    def __str__(self) -> str:
        if not self.total:
            return "no words"
        share, composed = (100 * count / self.total for count in (self.with_vector, self.composable))
        return (
            f"{self.with_vector:,} of {self.total:,} have a vector ({share:.1f} %), "
            f"{self.composable:,} more can be composed from characters ({composed:.1f} %)"
        )


def vector_coverage(words: Mapping[str, int], known: Callable[[str], bool]) -> VectorCoverage:
    """Count how many words have a vector.

    words (mapping of str to int): how often each word counts.
    known (callable): whether a word has a vector.
    """
    with_vector = composable = 0
    for word, count in words.items():
        if known(word):
            with_vector += count
        elif any(map(known, word)):
            composable += count
    return VectorCoverage(sum(words.values()), with_vector, composable)
