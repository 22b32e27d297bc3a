"""Scores of the attributes of spans, on those that are found."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from spacy.tokens import Doc
from spacy.training import Example
from spacy.util import registry

from ..span_facts import readable_spans
from .attributes import VALUES, values_of

_Place = tuple[int, int, str]


@registry.scorers("spacy_medflat.context_scorer.v1")
def make_context_scorer() -> Callable[..., dict[str, Any]]:
    """Make the scorer of `medflat_context`."""
    return score_context


def score_context(examples: Iterable[Example], *, spans_key: str | None = "sc", **kwargs: Any) -> dict[str, Any]:
    """Score assertion, experiencer and temporality of the gold spans that are found with their exact start, end and
    label. So they can be read beside the scores of the spans themselves, which say how many are found.

    spans_key (str or None): the span group; None for `doc.ents`.
    RETURNS (dict): with k for the key (`ents` for `doc.ents`): `context_k_spans`, how many spans are scored; and for
        each attribute a, `context_k_a_acc`, the share of right values, `context_k_a_macro_f`, the mean F1 of the values
        that the gold has, and `context_k_a_per_value`, precision, recall and F1 of each value. An attribute that the
        gold does not have gets None.
    """
    counts: dict[str, Counter[tuple[str, str]]] = {attribute: Counter() for attribute in VALUES}
    scored = 0
    for example in examples:
        gold, found = (_values(doc, spans_key) for doc in (example.reference, example.predicted))
        for place in gold.keys() & found.keys():
            scored += bool(gold[place])
            for attribute in gold[place].keys() & found[place].keys():
                counts[attribute][gold[place][attribute], found[place][attribute]] += 1
    prefix = f"context_{'ents' if spans_key is None else spans_key}"
    scores: dict[str, Any] = {f"{prefix}_spans": scored}
    for attribute, pairs in counts.items():
        per_value = {value: _score(pairs, value) for value in VALUES[attribute] if _occurs(pairs, value)}
        wanted = [per_value[value]["f"] for value in VALUES[attribute] if any(gold == value for gold, _ in pairs)]
        right = sum(count for (gold, found), count in pairs.items() if gold == found)
        scores[f"{prefix}_{attribute}_acc"] = right / pairs.total() if pairs else None
        scores[f"{prefix}_{attribute}_macro_f"] = sum(wanted) / len(wanted) if wanted else None
        scores[f"{prefix}_{attribute}_per_value"] = per_value or None
    return scores


def _values(doc: Doc, spans_key: str | None) -> dict[_Place, dict[str, str]]:
    spans = doc.ents if spans_key is None else doc.spans.get(spans_key, ())
    return {(span.start_char, span.end_char, span.label_): values_of(span) for span in readable_spans(spans)}


def _occurs(pairs: Iterable[tuple[str, str]], value: str) -> bool:
    return any(value in pair for pair in pairs)


def _score(pairs: Mapping[tuple[str, str], int], value: str) -> dict[str, float]:
    hits = pairs.get((value, value), 0)
    wanted = sum(count for (gold, _), count in pairs.items() if gold == value)
    given = sum(count for (_, found), count in pairs.items() if found == value)
    precision, recall = hits / given if given else 0.0, hits / wanted if wanted else 0.0
    f = 2 * precision * recall / (precision + recall) if hits else 0.0
    return {"p": precision, "r": recall, "f": f}
