"""What a pipeline finds in notes, and how unsure it is of each."""

import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from spacy.language import Language
from spacy.tokens import Doc

from ..corpus.record import Entity
from ..ner.span_finder import LOWEST_SCORE, SpanFinder, candidates_of
from ..ner.spans import Candidates, logit, resolve
from ..ner.training_texts import TrainingTexts
from ..scale.annotator import batches
from ..scale.items import Document
from .uncertainty import label_bits, reading_cost

_BATCH = 64
_SCORE_DIGITS = 4


class Reader(NamedTuple):
    """A pipeline to read with.

    nlp (Language): the pipeline.
    finder (SpanFinder): its component that finds spans.
    name (str): of the pipeline and its version, for annotation tools.
    """

    nlp: Language
    finder: SpanFinder
    name: str

    def training_texts(self) -> list[TrainingTexts]:
        """What is known of the texts of its training, or of each member of an ensemble."""
        members = [member.recognizer for member in getattr(self.finder, "members", ())] or [self.finder]
        return [texts for member in members if (texts := getattr(member, "training_texts", None)) is not None]


@dataclass(frozen=True, slots=True)
class ReadNote:
    """A note, and what was found in it.

    document (Document): the note.
    entities (list of Entity): those above their thresholds, with scores.
    bits (tuple of float): what annotating it would tell of each label, see `uncertainty.label_bits`.
    confidence (float): the mean chance that a span which was considered is rightly taken or left, from .5 to 1.
    """

    document: Document
    entities: list[Entity] = field(default_factory=list)
    bits: tuple[float, ...] = ()
    confidence: float = 1.0

    @property
    def uncertainty(self) -> float:
        """What annotating it would tell, in bits for each character that must be read.

        By the length, as in Shen et al., "Deep Active Learning for Named Entity Recognition" (ICLR 2018), since long
        texts have more of everything.
        """
        return sum(self.bits) / reading_cost(self.document.text)


def read_notes(reader: Reader, documents: Sequence[Document]) -> Iterator[tuple[int, ReadNote | str]]:
    """Read notes, in batches of like length. A note that fails does not fail its batch.

    reader (Reader): the pipeline.
    documents (sequence of Document): the notes.
    YIELDS (tuple of (int, ReadNote or str)): index of each note, in any order, and what is found, or why it fails.
    """
    # spaCy's limit is for parsers, whose memory grows with the length.
    reader.nlp.max_length = sys.maxsize
    lengths = [len(document.text) for document in documents]
    order = sorted(range(len(documents)), key=lambda i: lengths[i])
    for batch in batches(order, lengths, _BATCH):
        yield from zip(batch, _read_batch(reader, [documents[i] for i in batch]), strict=True)


def _read_batch(reader: Reader, documents: list[Document]) -> list[ReadNote | str]:
    finder = reader.finder
    thresholds = [finder.threshold_of(label) for label in finder.labels]
    texts = (document.text for document in documents)
    try:
        # New words must not fill the memory; no Doc leaves the zone.
        with reader.nlp.memory_zone():
            found = candidates_of(reader.nlp, finder, texts, min([LOWEST_SCORE, *thresholds]))
            return [_read(finder, thresholds, document, *pair) for document, pair in zip(documents, found, strict=True)]
    # Components of others may raise anything.
    except Exception as error:
        if len(documents) == 1:
            return [f"{type(error).__name__}: {error}"]
    return [read for one in documents for read in _read_batch(reader, [one])]


def _read(
    finder: SpanFinder, thresholds: Iterable[float], document: Document, doc: Doc, candidates: Candidates
) -> ReadNote:
    score = candidates.score
    chosen = resolve(candidates.above(logit(list(thresholds)).astype(np.float32)), finder.cfg["nesting"])
    places = zip(chosen.start.tolist(), chosen.end.tolist(), chosen.label.tolist(), chosen.score.tolist(), strict=True)
    labels = finder.labels
    return ReadNote(
        document,
        [
            Entity(span.start_char, span.end_char, labels[label], score=round(of_span, _SCORE_DIGITS))
            for start, end, label, of_span in places
            for span in [doc[start:end]]
        ],
        tuple(label_bits(candidates, len(labels)).tolist()),
        float(np.maximum(score, 1.0 - score).mean()) if len(score) else 1.0,
    )
