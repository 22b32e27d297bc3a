"""`medflat_context`: the component that says of each entity whether it is there, whose it is, and when."""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, ClassVar

from spacy.language import Language
from spacy.tokens import Doc, Span
from spacy.util import logger
from spacy.vocab import Vocab

from .attributes import Context, readable_spans, register_attributes, set_context
from .cues import Cue, CueMatcher, format_cues, merge_cues, parse_cues, shipped_cues
from .headings import Section
from .judge import judge
from .table_pipe import TablePipe

DEFAULT_CONFIG = {
    "spans_key": "sc",
    "sections_key": "sections",
    "scorer": {"@scorers": "spacy_medflat.context_scorer.v1"},
}


@Language.factory(
    "medflat_context",
    requires=["doc.spans"],
    assigns=["span._.assertion", "span._.experiencer", "span._.temporality", "span._.cues"],
    default_config=DEFAULT_CONFIG,
)
def make_medflat_context(
    nlp: Language,
    name: str,
    spans_key: str | None,
    sections_key: str | None,
    scorer: Callable[..., dict[str, Any]] | None,
) -> "ContextDetector":
    """Make the component. The settings are those of `ContextDetector`."""
    return ContextDetector(nlp.vocab, name, spans_key=spans_key, sections_key=sections_key, scorer=scorer)


class ContextDetector(TablePipe):
    """Sets `span._.assertion`, `span._.experiencer`, `span._.temporality` and `span._.cues` of the spans of a group.

    Cues and what they reach are a table, see `Cue`. An entity inside another one has what the outer one has. The method
    is that of NegEx (Chapman et al., J Biomed Inform 2001) and ConText (Harkema et al., J Biomed Inform 2009).

    The attributes are kept in `doc.user_data` by characters and label, so a copy of a span has them, and they travel
    with the Doc, also through DocBin (`store_user_data=True`).
    """

    table_file: ClassVar[str] = "cues.tsv"

    def __init__(
        self,
        vocab: Vocab,
        name: str = "medflat_context",
        *,
        spans_key: str | None = "sc",
        sections_key: str | None = "sections",
        scorer: Callable[..., dict[str, Any]] | None = None,
    ):
        """Make the component, with the cues of the package.

        vocab (Vocab): the pipeline's vocabulary.
        name (str): the component's name in the pipeline.
        spans_key (str or None): the span group to judge; None for `doc.ents`.
        sections_key (str or None): the span group of `medflat_sections`, which a Doc may lack; None to look at none.
        scorer (callable or None): see `Language.evaluate`.
        """
        self.vocab, self.name, self.scorer = vocab, name, scorer
        self.cfg: dict[str, Any] = {"spans_key": spans_key, "sections_key": sections_key}
        self._warned = False
        register_attributes()
        self.use(shipped_cues())

    @property
    def key(self) -> str | None:  # type: ignore[override]
        """The span group that is judged; None for `doc.ents`."""
        return self.cfg["spans_key"]

    @property
    def table(self) -> tuple[Cue, ...]:
        """The cues."""
        return self._cues

    def use(self, rows: Sequence[Cue]) -> None:
        """Work with these cues, and no others."""
        self._cues = tuple(rows)
        self._matcher = CueMatcher(self._cues)

    def add(self, rows: Iterable[Cue] | str | Path) -> None:
        """Add cues. One of the same text, category and direction is replaced; the category `none` takes a text out.

        rows (iterable of Cue, str or Path): the cues, or the path of a table.
        RAISES (ContextError): something that cannot be used; the message names file and line.
        """
        self.use(merge_cues(self._cues, self.rows_of(rows)))

    def parse(self, text: str, name: str) -> list[Cue]:
        """The cues in the text of a file; see `parse_cues`."""
        return parse_cues(text, name)

    def format(self, rows: Iterable[Cue]) -> str:
        """The text of a file with these cues."""
        return format_cues(rows)

    def predict(self, docs: Iterable[Doc]) -> list[list[Context]]:
        """Judge the spans of the Docs, without changing them.

        RETURNS (list of list of Context): of each Doc, in the order of its spans; without those that a retokenization
            left outside of it.
        """
        return [self._judged(doc) for doc in docs]

    def set_annotations(self, docs: Iterable[Doc], found: Iterable[Sequence[Context]]) -> None:
        """Write what `predict` gave into the Docs."""
        for doc, contexts in zip(docs, found, strict=True):
            for span, context in zip(self._spans(doc), contexts, strict=True):
                set_context(span, context)

    def _judged(self, doc: Doc) -> list[Context]:
        spans = [(span.start_char, span.end_char, span.label_) for span in self._spans(doc)]
        if not spans:
            self._look_for_group(doc)
            return []
        return judge(doc.text, spans, self._matcher, self._sections(doc))

    def _spans(self, doc: Doc) -> list[Span]:
        return list(readable_spans(doc.ents if self.key is None else doc.spans.get(self.key, ())))

    def _sections(self, doc: Doc) -> list[Section]:
        key = self.cfg["sections_key"]
        spans = readable_spans(doc.spans.get(key, ())) if key else ()
        return [Section(s.start_char, s.end_char, s.label_, s.start_char + len(s.id_)) for s in spans]

    def _look_for_group(self, doc: Doc) -> None:
        if self.key is None or self.key in doc.spans or self._warned:
            return
        self._warned = True
        logger.warning(
            "%s: a Doc has no span group %r, so nothing is judged; its groups are: %s. Set spans_key, or put the "
            "component that finds the entities before this one",
            *(self.name, self.key, ", ".join(map(repr, sorted(doc.spans))) or "none"),
        )
