"""What components that write one span group, batch by batch, share."""

from abc import abstractmethod
from collections.abc import Iterable, Iterator
from typing import Any

from spacy.pipeline.pipe import Pipe
from spacy.tokens import Doc
from spacy.util import minibatch

from .kept_spans import keep_doc_alive


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
