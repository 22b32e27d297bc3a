"""The base of the components that say something about each span of a group."""

from abc import abstractmethod
from collections.abc import Iterable, Sequence
from typing import Any

from spacy.tokens import Doc, Span
from spacy.util import logger

from .span_facts import readable_spans
from .table_pipe import TablePipe


class FactPipe(TablePipe):
    """Says something about each span of a group, or of `doc.ents`, from what its table knows."""

    _warned: bool = False

    @property
    def key(self) -> str | None:  # type: ignore[override]
        """The span group that is read; None for `doc.ents`."""
        return self.cfg["spans_key"]

    @abstractmethod
    def facts(self, doc: Doc, spans: Sequence[Span]) -> list[Any]:
        """What is said about each of some spans of a Doc, without changing it."""

    @abstractmethod
    def store(self, span: Span, fact: Any) -> None:
        """Keep what is said about a span."""

    def predict(self, docs: Iterable[Doc]) -> list[list[Any]]:
        """What is said about the spans of the Docs, without changing them.

        RETURNS (list of list): of each Doc, in the order of its spans; without those that a retokenization left
            outside of it.
        """
        return [self._facts(doc) for doc in docs]

    def set_annotations(self, docs: Iterable[Doc], found: Iterable[Sequence[Any]]) -> None:
        """Write what `predict` gave into the Docs."""
        for doc, facts in zip(docs, found, strict=True):
            for span, fact in zip(self._spans(doc), facts, strict=True):
                self.store(span, fact)

    def _facts(self, doc: Doc) -> list[Any]:
        spans = self._spans(doc)
        if not spans:
            self._look_for_group(doc)
            return []
        return self.facts(doc, spans)

    def _spans(self, doc: Doc) -> list[Span]:
        return list(readable_spans(doc.ents if self.key is None else doc.spans.get(self.key, ())))

    def _look_for_group(self, doc: Doc) -> None:
        if self.key is None or self.key in doc.spans or self._warned:
            return
        self._warned = True
        logger.warning(
            "%s: a Doc has no span group %r, so nothing is said about it; its groups are: %s. Set spans_key, or put "
            "the component that finds the entities before this one",
            *(self.name, self.key, ", ".join(map(repr, sorted(doc.spans))) or "none"),
        )
