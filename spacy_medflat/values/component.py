"""`medflat_values`: the component that gives tests their values, and drugs their doses, frequencies and routes."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, ClassVar

from spacy.language import Language
from spacy.tokens import Doc, Span
from spacy.vocab import Vocab

from ..fact_pipe import FactPipe
from ..table_pipe import TableKind
from .attributes import Value, register_value, set_value
from .find import find_values
from .terms import Term, format_terms, merge_terms, parse_terms, shipped_terms
from .vocabulary import Vocabulary

DEFAULT_CONFIG = {
    "spans_key": "sc",
    "tests": ["ite", "pro"],
    "drugs": ["dru"],
    "scorer": {"@scorers": "spacy_medflat.values_scorer.v1"},
}


@Language.factory("medflat_values", requires=["doc.spans"], assigns=["span._.value"], default_config=DEFAULT_CONFIG)
def make_medflat_values(
    nlp: Language,
    name: str,
    spans_key: str | None,
    tests: list[str],
    drugs: list[str],
    scorer: Callable[..., dict[str, Any]] | None,
) -> "ValueFinder":
    """Make the component. The settings are those of `ValueFinder`."""
    return ValueFinder(nlp.vocab, name, spans_key=spans_key, tests=tests, drugs=drugs, scorer=scorer)


class ValueFinder(FactPipe):
    """Sets `span._.value` of the tests and drugs of a span group, see `Value`.

    Units, frequencies, routes and other words are a table, see `Term`. For what belongs to what see `find_values`. The
    values are kept in `doc.user_data`, see `SpanFacts`.
    """

    kind: ClassVar[TableKind] = TableKind("terms.tsv", "docs/values.md", parse_terms, format_terms, merge_terms)

    def __init__(
        self,
        vocab: Vocab,
        name: str = "medflat_values",
        *,
        spans_key: str | None = "sc",
        tests: Iterable[str] = ("ite", "pro"),
        drugs: Iterable[str] = ("dru",),
        scorer: Callable[..., dict[str, Any]] | None = None,
    ):
        """Make the component, with the terms of the package.

        vocab (Vocab): the pipeline's vocabulary.
        name (str): the component's name in the pipeline.
        spans_key (str or None): the span group; None for `doc.ents`.
        tests (iterable of str): the labels of what has numbers, results and directions.
        drugs (iterable of str): the labels of what has a dose, a frequency and a route.
        scorer (callable or None): see `Language.evaluate`.
        """
        self.vocab, self.name, self.scorer = vocab, name, scorer
        self.cfg: dict[str, Any] = {"spans_key": spans_key, "tests": list(tests), "drugs": list(drugs)}
        register_value()
        self.use(shipped_terms())

    def compile(self, rows: Sequence[Term]) -> None:
        """Make the patterns of the terms."""
        self._terms = Vocabulary(rows)

    def facts(self, doc: Doc, spans: Sequence[Span]) -> list[Value | None]:
        """The values of spans of a Doc."""
        places = [(span.start_char, span.end_char, span.label_) for span in spans]
        return find_values(doc.text, places, self._terms, self.cfg["tests"], self.cfg["drugs"])

    def store(self, span: Span, fact: Value | None) -> None:
        """Set the value of a span."""
        set_value(span, fact)
