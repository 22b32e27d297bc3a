"""Scores of the values of spans, on those that are found."""

from collections.abc import Callable, Iterable
from typing import Any

from spacy.tokens import Doc
from spacy.training import Example
from spacy.util import registry

from ..span_facts import readable_spans
from .attributes import Value, value_of

COMPARED = ("numbers", "comparator", "ucum", "result", "direction", "strength", "per_day", "route")
"""The fields of a value that are scored."""

_CLOSE = 1e-6


@registry.scorers("spacy_medflat.values_scorer.v1")
def make_values_scorer() -> Callable[..., dict[str, Any]]:
    """Make the scorer of `medflat_values`."""
    return score_values


def score_values(examples: Iterable[Example], *, spans_key: str | None = "sc", **kwargs: Any) -> dict[str, Any]:
    """Score the values of the gold spans that are found with their exact start, end and label. A text in which no gold
    span has a value counts as one whose values nobody annotated, and is left out.

    spans_key (str or None): the span group; None for `doc.ents`.
    RETURNS (dict): with k for the key (`ents` for `doc.ents`): `values_k_spans`, how many spans with a value in gold or
        found are scored; `values_k_p`, `values_k_r`, `values_k_f`, of whole values, each right if all of `COMPARED`
        are; and `values_k_per_field`, the same of each field. None where gold has no values at all.
    """
    pairs: list[tuple[Value | None, Value | None]] = []
    for example in examples:
        gold, found = (_values(doc, spans_key) for doc in (example.reference, example.predicted))
        if any(gold.values()):
            pairs += [(gold[place], found[place]) for place in gold.keys() & found.keys()]
    pairs = [pair for pair in pairs if any(pair)]
    prefix = f"values_{'ents' if spans_key is None else spans_key}"
    whole = _score([(one and _compared(one), two and _compared(two)) for one, two in pairs])
    per_field = {
        name: scores
        for name in COMPARED
        if (scores := _score([(_field(one, name), _field(two, name)) for one, two in pairs]))
    }
    return {
        f"{prefix}_spans": len(pairs),
        **{f"{prefix}_{part}": whole[part] if whole else None for part in "prf"},
        f"{prefix}_per_field": per_field or None,
    }


def same(one: Value, two: Value) -> bool:
    """Whether two values say the same, however it is written."""
    return _equal(_compared(one), _compared(two))


def _values(doc: Doc, spans_key: str | None) -> dict[tuple[int, int, str], Value | None]:
    spans = doc.ents if spans_key is None else doc.spans.get(spans_key, ())
    return {(span.start_char, span.end_char, span.label_): value_of(span) for span in readable_spans(spans)}


def _compared(value: Value) -> tuple[Any, ...]:
    return tuple(getattr(value, name) for name in COMPARED)


def _field(value: Value | None, name: str) -> Any:
    found = getattr(value, name) if value else None
    return None if found in (None, ()) else found


def _equal(one: Any, two: Any) -> bool:
    if isinstance(one, tuple) and isinstance(two, tuple):
        return len(one) == len(two) and all(map(_equal, one, two))
    if isinstance(one, float) and isinstance(two, float):
        return abs(one - two) <= _CLOSE * max(1.0, abs(one))
    return bool(one == two)


def _score(pairs: list[tuple[Any, Any]]) -> dict[str, float] | None:
    """Precision, recall and F1 of pairs of gold and found; None if there are none."""
    wanted, given = (sum(pair[side] is not None for pair in pairs) for side in (0, 1))
    hits = sum(one is not None and two is not None and _equal(one, two) for one, two in pairs)
    if not wanted and not given:
        return None
    precision, recall = hits / given if given else 0.0, hits / wanted if wanted else 0.0
    return {"p": precision, "r": recall, "f": 2 * hits / (wanted + given)}
