"""A loaded pipeline that turns input parts into output parts."""

import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from spacy.language import Language
from spacy.tokens import Doc

from .._internals import import_code
from ..errors import MedflatError
from ..loading import load_model
from ..ner.component import NestedEntityRecognizer
from ..runtime import use_device
from ..windows import greedy_batches
from .items import Document, Failure, Found, InputPart, OutputPart
from .parse import Fields, failure, parse
from .writers import Written, write_part

BATCH_CHARACTERS = 2**15
"""A batch has no more characters than this; a longer text is a batch of its own."""

_SCORE_DIGITS = 4


@dataclass(frozen=True)
class Task:
    """What is done to every part.

    model: Package name or folder of the pipeline.
    target: A key of `writers.FORMATS`.
    spans_key: The span group to write; None for that of the pipeline's recognizer.
    mixed_precision: Compute in half precision, whatever the pipeline says; see `precision.CpuAutocast`.
    schema: The `pyarrow.Schema` of the input, if all of it is Parquet and the target is too.
    """

    model: str
    target: str = "jsonl"
    fields: Fields = field(default_factory=Fields)
    spans_key: str | None = None
    mixed_precision: bool = False
    batch_size: int = 64
    gpu_id: int = -1
    code: Path | None = None
    schema: Any = None


class Annotator:
    """Annotates parts, one after the other. Loads the pipeline once."""

    def __init__(self, task: Task):
        """RAISES MedflatError: no such GPU or pipeline, or more than one span group."""
        use_device(task.gpu_id)
        import_code(task.code)
        self.task = task
        self.nlp = load_model(task.model, mixed_precision=task.mixed_precision or None)
        # spaCy's limit is for parsers, whose memory grows with the length; ours read long texts in windows.
        self.nlp.max_length = sys.maxsize
        self.key = task.spans_key or find_spans_key(self.nlp)

    def __call__(self, part: InputPart) -> OutputPart:
        """The part with its entities, in the order of the texts.

        A text that fails does so alone: its batch is done again one by one.
        RAISES MedflatError: the pipeline does not write the span group.
        """
        parsed = [parse(item, self.task.fields) for item in part.items]
        found = self._annotate([document for document in parsed if isinstance(document, Document)])
        rows: list[Written] = []
        failures: list[Failure] = []
        outcomes = iter(found)
        for document in parsed:
            outcome = document if isinstance(document, Failure) else next(outcomes)
            if isinstance(outcome, Failure):
                failures.append(outcome)
            elif isinstance(document, Document):
                rows.append((document, outcome))
        written = write_part(
            rows, self.task.target, self.task.fields, self.key, self.nlp.lang or "zh", self.task.schema
        )
        return OutputPart(
            number=part.number,
            files=written.files,
            documents=len(rows) - len(written.failures),
            entities=written.entities,
            failures=[*failures, *written.failures],
            left_out=dict(Counter(problem.kind for problem in written.problems)),
            position=part.position,
            digest=part.digest,
        )

    def _annotate(self, documents: list[Document]) -> list[list[Found] | Failure]:
        """What is found in each document. Texts of like length share a batch, so that little is padded."""
        order = sorted(range(len(documents)), key=lambda i: len(documents[i].text))
        found: list[list[Found] | Failure] = [[] for _ in documents]
        # What a zone allocates is freed at its end, so that new words do not fill the memory; no Doc leaves it.
        with self.nlp.memory_zone():
            for batch in batches(order, [len(document.text) for document in documents], self.task.batch_size):
                for index, outcome in zip(batch, self._batch([documents[i] for i in batch]), strict=True):
                    found[index] = outcome
        return found

    def _batch(self, documents: list[Document]) -> list[list[Found] | Failure]:
        try:
            docs = self._docs(documents)
        except Exception as error:
            if len(documents) > 1:
                return [outcome for document in documents for outcome in self._batch([document])]
            (failed,) = documents
            return [failure(failed.id, failed.place, f"{type(error).__name__}: {error}")]
        return [entities_of(doc, self.key) for doc in docs]

    def _docs(self, documents: list[Document]) -> list[Doc]:
        docs = list(self.nlp.pipe([document.text for document in documents], batch_size=len(documents)))
        if len(docs) != len(documents):
            raise ValueError(f"the pipeline gave {len(docs)} documents for {len(documents)} texts")
        return docs


def batches(order: Iterable[int], lengths: list[int], size: int) -> Iterator[list[int]]:
    """Neighbours in `order`, at most `size` and at most `BATCH_CHARACTERS` characters together unless alone."""
    return greedy_batches(
        order,
        lambda characters, index: (characters or 0) + lengths[index],
        lambda count, characters: count <= size and characters <= BATCH_CHARACTERS,
    )


def entities_of(doc: Doc, key: str) -> list[Found]:
    """The spans of a group with their scores, which are None if the pipeline gives none.

    RAISES MedflatError: the Doc has no such group.
    """
    if key not in doc.spans:
        others = ", ".join(map(repr, sorted(doc.spans))) or "none"
        raise MedflatError(f"the pipeline writes no span group {key!r}; it writes {others}: see --spans-key")
    group = doc.spans[key]
    text = doc.text
    scores = group.attrs.get("scores", [None] * len(group))
    return [
        Found(
            span.start_char,
            span.end_char,
            span.label_,
            None if score is None else round(float(score), _SCORE_DIGITS),
            # span.text would make a Token for each character of the whole span.
            text[span.start_char : span.end_char],
        )
        for span, score in zip(group, scores, strict=True)
    ]


def find_spans_key(nlp: Language) -> str:
    """The span group of the pipeline's nested entity recognizer, or of its only component that has a key.

    RAISES MedflatError: there is none, or there are several.
    """
    pipes: list[Any] = [pipe for _, pipe in nlp.pipeline]
    keys = {pipe.key for pipe in pipes if isinstance(pipe, NestedEntityRecognizer)}
    keys = keys or {pipe.key for pipe in pipes if isinstance(getattr(pipe, "key", None), str)}
    if len(keys) != 1:
        found = f"writes {', '.join(map(repr, sorted(keys)))}" if keys else "has no component that finds spans"
        raise MedflatError(f"name the span group with --spans-key: the pipeline {found}")
    return str(keys.pop())
