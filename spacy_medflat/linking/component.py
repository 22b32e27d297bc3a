"""`medflat_linker`: the component that gives entities the codes of a table."""

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from spacy.language import Language
from spacy.tokens import Doc, Span
from spacy.util import logger
from spacy.vocab import Vocab

from ..errors import MedflatError
from ..fact_pipe import FactPipe
from ..table_pipe import TableKind
from .attributes import Code, register_codes, set_codes
from .index import CodeIndex
from .rows import CodeRow, format_codes, merge_codes, parse_codes

DEFAULT_CONFIG = {
    "spans_key": "sc",
    "labels": None,
    "threshold": 0.75,
    "n_best": 3,
    "scorer": {"@scorers": "spacy_medflat.codes_scorer.v1"},
}


@Language.factory("medflat_linker", requires=["doc.spans"], assigns=["span._.codes"], default_config=DEFAULT_CONFIG)
def make_medflat_linker(
    nlp: Language,
    name: str,
    spans_key: str | None,
    labels: list[str] | None,
    threshold: float,
    n_best: int,
    scorer: Callable[..., dict[str, Any]] | None,
) -> "CodeLinker":
    """Make the component. The settings are those of `CodeLinker`."""
    return CodeLinker(
        nlp.vocab, name, spans_key=spans_key, labels=labels, threshold=threshold, n_best=n_best, scorer=scorer
    )


class CodeLinker(FactPipe):
    """Sets `span._.codes` of the spans of a group: codes of a table of the user's, best first, see `CodeIndex.link`.

    The package has no table. `initialize` reads one, `add` takes others, and it is saved with the pipeline. The codes
    are kept in `doc.user_data`, see `SpanFacts`.
    """

    kind: ClassVar[TableKind] = TableKind("codes.tsv", "docs/linking.md", parse_codes, format_codes, merge_codes)

    def __init__(
        self,
        vocab: Vocab,
        name: str = "medflat_linker",
        *,
        spans_key: str | None = "sc",
        labels: Sequence[str] | None = None,
        threshold: float = 0.75,
        n_best: int = 3,
        scorer: Callable[..., dict[str, Any]] | None = None,
    ):
        """Make the component, without a table.

        vocab (Vocab): the pipeline's vocabulary.
        name (str): the component's name in the pipeline.
        spans_key (str or None): the span group; None for `doc.ents`.
        labels (sequence of str or None): of the spans that are linked; None for all.
        threshold (float): the least score of a code, 0 to 1.
        n_best (int): how many codes a span gets at most.
        scorer (callable or None): see `Language.evaluate`.
        RAISES (MedflatError): a threshold that is none, or no codes at all.
        """
        if not 0 <= threshold <= 1:
            raise MedflatError(f"threshold of {name!r} is {threshold}; give a number from 0 to 1")
        if n_best < 1:
            raise MedflatError(f"n_best of {name!r} is {n_best}; give 1 or more")
        self.vocab, self.name, self.scorer = vocab, name, scorer
        self.cfg: dict[str, Any] = {
            "spans_key": spans_key,
            "labels": None if labels is None else list(labels),
            "threshold": threshold,
            "n_best": n_best,
        }
        self._told = False
        register_codes()
        self.use(())

    def compile(self, rows: Sequence[CodeRow]) -> None:
        """Make the index of the table."""
        self._index = CodeIndex(rows)

    def facts(self, doc: Doc, spans: Sequence[Span]) -> list[tuple[Code, ...]]:
        """The codes of spans of a Doc."""
        if not self.table and not self._told:
            self._told = True
            logger.warning("%s has no table, so it gives no codes; see %s", self.name, self.kind.page)
        labels, threshold, n_best = (self.cfg[name] for name in ("labels", "threshold", "n_best"))
        text = doc.text
        return [
            self._index.link(text[span.start_char : span.end_char], span.label_, threshold, n_best)
            if labels is None or span.label_ in labels
            else ()
            for span in spans
        ]

    def store(self, span: Span, fact: Sequence[Code]) -> None:
        """Set the codes of a span."""
        set_codes(span, fact)
