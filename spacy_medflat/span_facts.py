"""Facts about spans, which a Doc keeps by their characters and label."""

from collections.abc import Iterator, Sequence
from typing import Any

from spacy.tokens import Span, SpanGroup


class SpanFacts:
    """Keeps a fact of one kind about each span in `doc.user_data`.

    So a copy of a span has it, it travels with the Doc, also through DocBin (`store_user_data=True`), and it moves
    where Docs are joined or cut. Facts are lists, strings and numbers, and their offsets count from the span, so that
    they stay right in a part of the Doc. Read back from bytes, lists are tuples.
    """

    def __init__(self, name: str):
        """name (str): of the extension that holds the facts."""
        self.name = name

    def register(self) -> None:
        """Make the extension known to spaCy."""
        if not Span.has_extension(self.name):
            Span.set_extension(self.name, default=None)

    def get(self, span: Span) -> Any:
        """The fact about a span; None if there is none."""
        self.register()
        return (span._.get(self.name) or {}).get(span.label_)

    def set(self, span: Span, fact: Any) -> None:
        """Keep a fact, for all spans with these characters and this label.

        fact (Any): None takes it away.
        """
        self.register()
        # spaCy does not look at labels, so there is one value for all labels on the same characters.
        facts = {label: other for label, other in (span._.get(self.name) or {}).items() if label != span.label_}
        if fact is not None:
            facts[span.label_] = fact
        if facts or span._.get(self.name):
            span._.set(self.name, facts)


def readable_spans(spans: SpanGroup | Sequence[Span]) -> Iterator[Span]:
    """The spans of a group, without those that a retokenization left outside of the Doc, which spaCy cannot read."""
    for index in range(len(spans)):
        try:
            yield spans[index]
        except IndexError:
            continue
