"""`medflat_context`: the component that says of each entity whether it is there, whose it is, and when."""

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from spacy.language import Language
from spacy.tokens import Doc, Span
from spacy.vocab import Vocab

from ..fact_pipe import FactPipe
from ..span_facts import readable_spans
from ..table_pipe import TableKind
from .attributes import Context, register_attributes, set_context
from .cues import Cue, CueMatcher, format_cues, merge_cues, parse_cues, shipped_cues
from .headings import Section
from .judge import judge

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


class ContextDetector(FactPipe):
    """Sets `span._.assertion`, `span._.experiencer`, `span._.temporality` and `span._.cues` of the spans of a group.

    Cues and what they reach are a table, see `Cue`. An entity inside another one has what the outer one has. The method
    is that of NegEx (Chapman et al., J Biomed Inform 2001) and ConText (Harkema et al., J Biomed Inform 2009).

    The attributes are kept in `doc.user_data` by characters and label, so a copy of a span has them, and they travel
    with the Doc, also through DocBin (`store_user_data=True`).
    """

    kind: ClassVar[TableKind] = TableKind("cues.tsv", "docs/context.md", parse_cues, format_cues, merge_cues)

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
        register_attributes()
        self.use(shipped_cues())

    def compile(self, rows: Sequence[Cue]) -> None:
        """Make the automaton of the cues."""
        self._matcher = CueMatcher(rows)

    def facts(self, doc: Doc, spans: Sequence[Span]) -> list[Context]:
        """Judge spans of a Doc."""
        places = [(span.start_char, span.end_char, span.label_) for span in spans]
        return judge(doc.text, places, self._matcher, self._sections(doc))

    def store(self, span: Span, fact: Context) -> None:
        """Set the attributes of a span."""
        set_context(span, fact)

    def _sections(self, doc: Doc) -> list[Section]:
        key = self.cfg["sections_key"]
        spans = readable_spans(doc.spans.get(key, ())) if key else ()
        return [Section(s.start_char, s.end_char, s.label_, s.start_char + len(s.id_)) for s in spans]
