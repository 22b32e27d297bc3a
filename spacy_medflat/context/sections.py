"""`medflat_sections`: the component that finds the sections of notes."""

from collections.abc import Iterable, Sequence
from typing import Any, ClassVar

from spacy.language import Language
from spacy.tokens import Doc, Span, SpanGroup
from spacy.vocab import Vocab

from ..table_pipe import TableKind, TablePipe
from .headings import (
    Heading,
    HeadingMatcher,
    Section,
    format_headings,
    merge_headings,
    parse_headings,
    shipped_headings,
)

DEFAULT_CONFIG = {"spans_key": "sections"}


@Language.factory("medflat_sections", assigns=["doc.spans"], default_config=DEFAULT_CONFIG)
def make_medflat_sections(nlp: Language, name: str, spans_key: str) -> "SectionFinder":
    """Make the component. The settings are those of `SectionFinder`."""
    return SectionFinder(nlp.vocab, name, spans_key=spans_key)


class SectionFinder(TablePipe):
    """Writes the sections of a note into `doc.spans[spans_key]`, in the order of the text.

    The label of a span says what it is, as `past_history`; its `id_` is its title as it stands, number and colon
    included, so that `span.text[len(span.id_):]` is what the title is of. The group is always written, also when it is
    empty. What stands before the first title is in no section. For titles see `HeadingMatcher`.
    """

    kind: ClassVar[TableKind] = TableKind(
        "headings.tsv", "docs/context.md", parse_headings, format_headings, merge_headings
    )

    def __init__(self, vocab: Vocab, name: str = "medflat_sections", *, spans_key: str = "sections"):
        """Make the component, with the headings of the package.

        vocab (Vocab): the pipeline's vocabulary.
        name (str): the component's name in the pipeline.
        spans_key (str): the span group to write.
        """
        self.vocab, self.name = vocab, name
        self.cfg: dict[str, Any] = {"spans_key": spans_key}
        self.use(shipped_headings())

    def compile(self, rows: Sequence[Heading]) -> None:
        """Make the pattern of the headings."""
        self._matcher = HeadingMatcher(rows)

    def predict(self, docs: Iterable[Doc]) -> list[list[Section]]:
        """Find the sections of the Docs, without changing them."""
        return [list(self._matcher.find(doc.text)) for doc in docs]

    def set_annotations(self, docs: Iterable[Doc], found: Iterable[Sequence[Section]]) -> None:
        """Write the sections into the Docs."""
        for doc, sections in zip(docs, found, strict=True):
            text = doc.text
            titles = [text[section.start : section.title_end] for section in sections]
            spans = [_span(doc, section, title) for section, title in zip(sections, titles, strict=True)]
            doc.spans[self.key] = SpanGroup(doc, name=self.key, spans=[span for span in spans if span is not None])


def _span(doc: Doc, section: Section, title: str) -> Span | None:
    return doc.char_span(section.start, section.end, label=section.label, span_id=title, alignment_mode="expand")
