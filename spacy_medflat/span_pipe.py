"""What components that write one span group, batch by batch, share."""

from abc import abstractmethod
from collections.abc import Iterable, Iterator
from typing import Any

from spacy.pipeline.pipe import Pipe
from spacy.tokens import Doc, SpanGroup
from spacy.util import minibatch


class KeptSpanGroup(SpanGroup):
    """A span group that keeps its Doc alive, so that `nlp(text).spans[key]` may be read at once.

    spaCy's own holds its Doc weakly, and fails once the Doc is gone. Python's garbage collector takes the circle apart.
    """

    kept: Doc


def keep_doc_alive(doc: Doc, key: str) -> None:
    """Put a `KeptSpanGroup` in the place of a span group; do nothing if there is no group of this name."""
    if key in doc.spans:
        group = doc.spans[key]
        kept = KeptSpanGroup(doc, name=group.name, attrs=group.attrs, spans=list(group))
        kept.kept = doc
        doc.spans[key] = kept


class SpanPipe(Pipe):
    """Finds something in batches of Docs, then writes it into them. A bad Doc does not sink its batch.

    cfg: `spans_key` is the span group.
    """

    name: str
    cfg: dict[str, Any]

    @property
    def key(self) -> str:
        """The span group that is written."""
        return str(self.cfg["spans_key"])

    @abstractmethod
    def predict(self, docs: Iterable[Doc]) -> Any:
        """What is found, without changing the Docs."""

    @abstractmethod
    def set_annotations(self, docs: Iterable[Doc], found: Any) -> None:
        """Write it into the Docs."""

    def __call__(self, doc: Doc) -> Doc:
        """Apply the component to one Doc. Its span group keeps the Doc alive; those of `pipe` do not."""
        for done in self._annotated([doc]):
            keep_doc_alive(done, self.key)
        return doc

    def pipe(self, stream: Iterable[Doc], *, batch_size: int = 128) -> Iterator[Doc]:
        """Apply the component to a stream of Docs."""
        for docs in minibatch(stream, batch_size):
            yield from self._annotated(list(docs))

    def _annotated(self, docs: list[Doc]) -> list[Doc]:
        """The Docs with their spans. A batch that fails is gone through one by one, and the bad Docs are handled."""
        try:
            self.set_annotations(docs, self.predict(docs))
        except Exception as error:
            if len(docs) > 1:
                return [done for doc in docs for done in self._annotated([doc])]
            self.get_error_handler()(self.name, self, docs, error)
            return []
        return docs
