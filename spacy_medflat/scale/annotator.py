"""A pipeline that turns input parts into output parts."""

import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import cached_property
from typing import Any

from spacy.language import Language
from spacy.tokens import Doc

from ..corpus.docs import spans_with_scores
from ..corpus.said import said_of
from ..errors import MedflatError
from ..loading import first_span_finder, load_model, span_finders
from ..table_pipe import TablePipe
from ..windows import greedy_batches
from .items import Document, Failure, FoundEntity, InputPart, OutputPart, Receipt
from .parse import failure, parse
from .run_settings import RunSettings
from .writers import Written, write_part

# A batch has no more characters than this; a longer text is a batch of its own.
BATCH_CHARACTERS = 2**15
_SCORE_DIGITS = 4


class Annotator:
    """Annotates parts, one after the other. It loads the pipeline with the first one; before that it can be pickled.

    settings (RunSettings): with nothing left to be found.
    schema (pyarrow.Schema or None): of the input, if all of it is Parquet and the output is, too.
    """

    def __init__(self, settings: RunSettings, schema: Any = None):
        self.settings, self.schema = settings, schema

    @cached_property
    def nlp(self) -> Language:
        """The loaded pipeline.

        RAISES (MedflatError): there is no such GPU or pipeline, or none with thresholds that could be lowered.
        """
        settings = self.settings
        nlp = load_model(
            settings.model,
            gpu_id=settings.gpu_id,
            code=settings.code,
            mixed_precision=settings.mixed_precision or None,
        )
        # spaCy's limit is for parsers, whose memory grows with the length; ours read long texts in windows.
        nlp.max_length = sys.maxsize
        if settings.lowest is not None:
            finder = first_span_finder(nlp, settings.model)
            finder.cfg.update(threshold=settings.lowest, label_thresholds={}, nesting="all", set_ents=False)
        return nlp

    @cached_property
    def key(self) -> str:
        """The span group to write.

        RAISES (MedflatError): none is named, and the pipeline does not have exactly one.
        """
        return self.settings.spans_key or find_spans_key(self.nlp)

    def __call__(self, part: InputPart) -> OutputPart:
        """Annotate the texts of a part, in their order. A text that fails does not fail its batch.

        RAISES (MedflatError): the pipeline does not write the span group.
        """
        settings = self.settings
        parsed = [parse(item, settings.fields) for item in part.items]
        outcomes = iter(self._annotate([document for document in parsed if isinstance(document, Document)]))
        rows: list[Written] = []
        failures: list[Failure] = []
        for document in parsed:
            outcome = document if isinstance(document, Failure) else next(outcomes)
            if isinstance(outcome, Failure):
                failures.append(outcome)
            elif isinstance(document, Document):
                rows.append((document, outcome))
        written = write_part(rows, settings.target, settings.fields, self.key, self.nlp.lang or "zh", self.schema)
        receipt = Receipt(
            documents=len(rows) - len(written.failures),
            entities=written.entities,
            failures=[*failures, *written.failures],
            left_out=dict(Counter(problem.kind for problem in written.problems)),
            digest=part.digest,
        )
        return OutputPart(part.number, written.files, receipt, part.position)

    def _annotate(self, documents: list[Document]) -> list[list[FoundEntity] | Failure]:
        """What is found in each document. Texts of like length share a batch, so that little is padded."""
        order = sorted(range(len(documents)), key=lambda i: len(documents[i].text))
        found: list[list[FoundEntity] | Failure] = [[] for _ in documents]
        # What a zone allocates is freed at its end, so that new words do not fill the memory; no Doc leaves it.
        with self.nlp.memory_zone():
            for batch in batches(order, [len(document.text) for document in documents], self.settings.batch_size):
                for index, outcome in zip(batch, self._batch([documents[i] for i in batch]), strict=True):
                    found[index] = outcome
        return found

    def _batch(self, documents: list[Document]) -> list[list[FoundEntity] | Failure]:
        try:
            docs = list(self.nlp.pipe([document.text for document in documents], batch_size=len(documents)))
            if len(docs) != len(documents):
                raise ValueError(f"the pipeline gave {len(docs)} documents for {len(documents)} texts")
        except Exception as error:
            if len(documents) > 1:
                return [outcome for document in documents for outcome in self._batch([document])]
            (failed,) = documents
            return [failure(failed.id, failed.place, f"{type(error).__name__}: {error}")]
        return [entities_of(doc, self.key) for doc in docs]


def batches(order: Iterable[int], lengths: list[int], size: int) -> Iterator[list[int]]:
    """Cut an order of texts into batches of at most `BATCH_CHARACTERS`, or of one text.

    order (iterable of int): indices of texts.
    lengths (list of int): characters of each text.
    size (int): texts of a batch at most.
    YIELDS (list of int): indices of a batch.
    """
    return greedy_batches(
        order,
        lambda characters, index: (characters or 0) + lengths[index],
        lambda count, characters: count <= size and characters <= BATCH_CHARACTERS,
    )


def entities_of(doc: Doc, key: str) -> list[FoundEntity]:
    """The spans of a group with their scores and what is said about them, which are None if the pipeline gives none.

    doc (Doc): annotated.
    key (str): the span group.
    RAISES (MedflatError): the Doc has no such group.
    """
    if key not in doc.spans:
        others = ", ".join(map(repr, sorted(doc.spans))) or "none"
        raise MedflatError(f"the pipeline writes no span group {key!r}; it writes {others}: see --spans-key")
    text = doc.text
    return [
        FoundEntity(
            span.start_char,
            span.end_char,
            span.label_,
            None if score is None else round(score, _SCORE_DIGITS),
            # span.text would make a Token for each character of the whole span.
            text[span.start_char : span.end_char],
            said_of(span) or None,
        )
        for span, score in spans_with_scores(doc, key)
    ]


def find_spans_key(nlp: Language) -> str:
    """The span group of the components that find nested spans, or else of the only other one that finds entities.

    RAISES (MedflatError): there is none, or there are several.
    """
    others = [pipe for _, pipe in nlp.pipeline if not isinstance(pipe, TablePipe)]
    pipes: list[Any] = span_finders(nlp) or others
    keys = {key for pipe in pipes if isinstance(key := getattr(pipe, "key", None), str)}
    if len(keys) != 1:
        found = f"writes {', '.join(map(repr, sorted(keys)))}" if keys else "has no component that finds spans"
        raise MedflatError(f"name the span group with --spans-key: the pipeline {found}")
    return keys.pop()
