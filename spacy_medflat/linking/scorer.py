"""Scores of the codes of spans, on those that are found."""

from collections.abc import Callable, Iterable
from typing import Any

from spacy.tokens import Doc
from spacy.training import Example
from spacy.util import registry

from ..span_facts import readable_spans
from .attributes import codes_of


@registry.scorers("spacy_medflat.codes_scorer.v1")
def make_codes_scorer() -> Callable[..., dict[str, Any]]:
    """Make the scorer of `medflat_linker`."""
    return score_codes


def score_codes(examples: Iterable[Example], *, spans_key: str | None = "sc", **kwargs: Any) -> dict[str, Any]:
    """Score the codes of the gold spans that have some and are found with their exact start, end and label. Of several
    gold codes, each is right.

    spans_key (str or None): the span group; None for `doc.ents`.
    RETURNS (dict): with k for the key (`ents` for `doc.ents`): `codes_k_spans`, how many spans are scored;
        `codes_k_linked`, the share that has a code; `codes_k_acc`, the share whose first code is right; and
        `codes_k_among`, the share with a right one among its codes. None where gold has no codes.
    """
    pairs: list[tuple[list[str], list[str]]] = []
    for example in examples:
        gold, found = (_codes(doc, spans_key) for doc in (example.reference, example.predicted))
        pairs += [(codes, found[place]) for place, codes in gold.items() if codes and place in found]
    counts = {
        "linked": sum(bool(found) for _, found in pairs),
        "acc": sum(found[:1] != [] and found[0] in gold for gold, found in pairs),
        "among": sum(bool(set(found) & set(gold)) for gold, found in pairs),
    }
    prefix = f"codes_{'ents' if spans_key is None else spans_key}"
    shares = {f"{prefix}_{name}": count / len(pairs) if pairs else None for name, count in counts.items()}
    return {f"{prefix}_spans": len(pairs), **shares}


def _codes(doc: Doc, spans_key: str | None) -> dict[tuple[int, int, str], list[str]]:
    spans = doc.ents if spans_key is None else doc.spans.get(spans_key, ())
    return {
        (span.start_char, span.end_char, span.label_): [code.code for code in codes_of(span)]
        for span in readable_spans(spans)
    }
