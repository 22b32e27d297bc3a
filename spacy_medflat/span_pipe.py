"""The base of components that write one span group, batch by batch."""

from abc import abstractmethod
from collections.abc import Iterable, Iterator
from typing import Any

from spacy.pipeline.pipe import Pipe
from spacy.tokens import Doc
from spacy.util import minibatch


class SpanPipe(Pipe):
    """Finds something in batches of Docs, then writes it into them. A Doc that fails does not fail its batch.

    As everywhere in spaCy, a span group does not keep its Doc alive: read it while the Doc has a name
    (`doc = nlp(text)`). `nlp(text).spans[key]` gives a group whose Doc is gone, and reading it raises spaCy's E865.

    cfg (dict): the settings; `spans_key` is the span group.
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
        """Apply the component to one Doc."""
        self._annotated([doc])
        return doc

    def pipe(self, stream: Iterable[Doc], *, batch_size: int = 128) -> Iterator[Doc]:
        """Apply the component to a stream of Docs."""
        for docs in minibatch(stream, batch_size):
            yield from self._annotated(list(docs))

    def _annotated(self, docs: list[Doc]) -> list[Doc]:
        """The Docs with their spans. A batch that fails is run again Doc by Doc, and the bad ones are handled."""
        try:
            self.set_annotations(docs, self.predict(docs))
        except Exception as error:
            if len(docs) > 1:
                return [done for doc in docs for done in self._annotated([doc])]
            self.get_error_handler()(self.name, self, docs, error)
            return []
        return docs
