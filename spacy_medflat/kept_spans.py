"""Span groups that outlive the name of their Doc."""

from spacy.tokens import Doc, SpanGroup


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
