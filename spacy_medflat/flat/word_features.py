"""The words of Docs as FLAT reads them: places, vectors and types."""

from collections import Counter
from collections.abc import Container, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
from spacy.tokens import Doc, Span
from spacy.vocab import Vocab

from ..errors import VectorsError
from ..lattice.words import TYPE_SEPARATOR
from .batch import DocWords

Missing = Literal["drop", "compose"]


@dataclass(frozen=True)
class WordReader:
    """Which words are read, and what is known of them.

    spans_key (str): the span group that holds them.
    missing (str): a word without a vector is left out (`drop`), or gets the mean of its characters' vectors
        (`compose`), and is left out only if none of these has one.
    normalize (bool): scale every word's vector to length 1.
    max_length (int): the most tokens in a word; longer ones are left out.
    types (tuple of str): word types that have an embedding. A type is the label of a word's span; several stand in one
        label with `|` between them.
    """

    spans_key: str = "lattice"
    missing: Missing = "compose"
    normalize: bool = True
    max_length: int = 16
    types: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """RAISES (ValueError): a setting is out of range."""
        if self.missing not in get_args(Missing):
            raise ValueError(f"missing must be one of {', '.join(get_args(Missing))}, but it is {self.missing!r}")
        if self.max_length < 1:
            raise ValueError(f"max_word_length must be at least 1, but it is {self.max_length}")
        if len(set(self.types)) != len(self.types):
            raise ValueError(f"word_types must be different from each other, but they are {list(self.types)}")

    def width(self, vocab: Vocab) -> int:
        """Values of a word's features: its vector, and one for each type.

        RAISES (VectorsError): there are no vectors, or of another kind.
        """
        if not vocab.vectors.shape[1] or not vocab.vectors.shape[0]:
            raise VectorsError(
                "FLAT needs word vectors, but nlp.vocab has none: set [initialize] vectors to a folder that "
                "`spacy medflat vectors` wrote, or set spans_key = null for FLAT over characters alone"
            )
        if vocab.vectors.mode != "default":
            raise VectorsError(f"FLAT reads vectors of mode 'default', but nlp.vocab has mode {vocab.vectors.mode!r}")
        return vocab.vectors.shape[1] + len(self.types)


def read_words(
    docs: Sequence[Doc], reader: WordReader, xp: Any, excused: Container[Doc] = ()
) -> tuple[list[DocWords], Any, Counter[str]]:
    """Read the words of a batch.

    docs (sequence of Doc): at least one.
    reader (WordReader): which words are read.
    xp (module): numpy or cupy, where the vectors are.
    excused (container of Doc): Docs that need not have the span group.
    RETURNS (list of DocWords, float32 [different words, `reader.width`], Counter): the words of each Doc, their
        features, and counts of words `read` and of those left out because they are `empty`, `too long` or `without a
        vector`.
    RAISES (ValueError): a Doc has no such span group, or one that does not fit it; or there are no vectors.
    """
    counts: Counter[str] = Counter()
    table = _FeatureTable(docs[0].vocab, reader)
    words = [_read_doc(doc, reader, table, counts, doc in excused) for doc in docs]
    return words, table.features(xp), counts


def _read_doc(doc: Doc, reader: WordReader, table: "_FeatureTable", counts: Counter[str], excused: bool) -> DocWords:
    if reader.spans_key not in doc.spans:
        if excused:
            return DocWords.none()
        raise ValueError(
            f"FLAT reads words from doc.spans[{reader.spans_key!r}], but the Doc has no such spans: put a "
            "'medflat_lattice' component before this one and, for training, into [training] annotating_components; or "
            "set spans_key = null for FLAT over characters alone"
        )
    labels: dict[tuple[int, int], set[str]] = {}
    text: dict[tuple[int, int], str] = {}
    for span in _spans(doc, reader.spans_key):
        place = (span.start, span.end)
        if place not in labels:
            labels[place] = set()
            counts["read"] += 1
            counts["empty"] += span.end <= span.start
            counts["too long"] += span.end - span.start > reader.max_length
        if span.start < span.end <= span.start + reader.max_length:
            text[place] = span.text
        labels[place].update(span.label_.split(TYPE_SEPARATOR))
    found = []
    for start, end in sorted(text):
        row = table.row(text[start, end], labels[start, end])
        counts["without a vector"] += row is None
        if row is not None:
            found.append((start, end - 1, row))
    columns = np.array(found, dtype=np.int64).reshape(-1, 3).T
    return DocWords(*columns)


def _spans(doc: Doc, key: str) -> list[Span]:
    try:
        return list(doc.spans[key])
    except IndexError as error:
        raise ValueError(
            f"doc.spans[{key!r}] has spans that lie outside of the Doc of {len(doc)} tokens: its tokens were changed "
            "after the words were laid over them, so run the component that writes the words again"
        ) from error


class _FeatureTable:
    """The features of a batch's words, one row for each different word."""

    def __init__(self, vocab: Vocab, reader: WordReader):
        reader.width(vocab)
        self.vocab, self.reader = vocab, reader
        self.rows: dict[tuple[str, frozenset[str]], int | None] = {}
        self.sources: list[list[int]] = []
        self.types: list[frozenset[str]] = []

    def row(self, text: str, labels: set[str]) -> int | None:
        """The row of a word, None if it has no vector."""
        types = frozenset(labels.intersection(self.reader.types))
        key = (text, types)
        if key not in self.rows:
            sources = self._sources(text)
            self.rows[key] = len(self.sources) if sources else None
            if sources:
                self.sources.append(sources)
                self.types.append(types)
        return self.rows[key]

    def _sources(self, text: str) -> list[int]:
        """Rows of the vectors whose mean is the word's vector."""
        rows = [self._find(text)]
        if rows[0] < 0 and self.reader.missing == "compose":
            rows = [self._find(char) for char in text]
        return [row for row in rows if row >= 0]

    def _find(self, text: str) -> int:
        return self.vocab.vectors.key2row.get(self.vocab.strings[text], -1)

    def features(self, xp: Any) -> Any:
        """float32 [words, vector and types]"""
        vectors = self.vocab.vectors.data
        if not self.sources:
            return xp.zeros((0, self.reader.width(self.vocab)), dtype="f")
        mean = xp.zeros((len(self.sources), vectors.shape[1]), dtype="f")
        lengths = np.array([len(rows) for rows in self.sources])
        for length in np.unique(lengths).tolist():
            words = np.flatnonzero(lengths == length)
            sources = np.array([self.sources[i] for i in words.tolist()], dtype=np.int64)
            mean[xp.asarray(words)] = vectors[xp.asarray(sources)].mean(axis=1)
        if self.reader.normalize:
            mean = mean / xp.maximum(xp.linalg.norm(mean, axis=1, keepdims=True), 1e-12)
        types = [[name in types for name in self.reader.types] for types in self.types]
        return xp.concatenate((mean, xp.asarray(types, dtype="f").reshape(len(types), -1)), axis=1).astype("f")
