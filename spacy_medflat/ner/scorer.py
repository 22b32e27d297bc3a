"""Scores of nested spans: overall, per type, and apart for what takes part in nesting."""

from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

from spacy.scorer import Scorer
from spacy.tokens import Doc
from spacy.training import Example
from spacy.util import registry

from ..corpus.nesting import nested_parts
from ..corpus.record import Entity

ROLES = ("nested", "outer", "inner", "flat")


@registry.scorers("spacy_medflat.nested_scorer.v1")
def make_nested_scorer() -> Callable[..., dict[str, Any]]:
    """Make the scorer of `medflat_ner`."""
    return score_nested


def score_nested(examples: Iterable[Example], *, spans_key: str, **kwargs: Any) -> dict[str, Any]:
    """Score the spans of a group by exact match of start, end and label.

    An outer span strictly contains another span, an inner one lies strictly inside one, a nested one is either (or
    both), a flat one is neither. Recall is over the gold spans that have the role among gold spans, precision over
    the predicted spans that have it among predicted spans; a match of either kind must be exact.

    spans_key (str): the span group to score. Texts whose reference lacks it are left out.
    RETURNS (dict): with k for the key: `spans_k_p`, `_r`, `_f` over all gold and `spans_k_per_type`, as spaCy's Scorer
        has them; and for each role `nested`, `outer`, `inner` and `flat`, `spans_k_<role>_p`, `_r`, `_f`.
    """
    examples = list(examples)
    scores = Scorer.score_spans(
        examples,
        attr=f"spans_{spans_key}",
        getter=lambda doc, attr: doc.spans.get(spans_key, []),
        has_annotation=lambda doc: spans_key in doc.spans,
        allow_overlap=True,
    )
    annotated = [eg for eg in examples if spans_key in eg.reference.spans]
    counts: Counter[tuple[str, str]] = Counter()
    for example in annotated:
        gold, predicted = mentions(example.reference, spans_key), mentions(example.predicted, spans_key)
        gold_roles, predicted_roles = roles_of(gold), roles_of(predicted)
        for role in ROLES:
            counts[role, "gold"] += len(gold_roles[role])
            counts[role, "gold found"] += len(gold_roles[role] & predicted)
            counts[role, "predicted"] += len(predicted_roles[role])
            counts[role, "predicted right"] += len(predicted_roles[role] & gold)
    for role in ROLES:
        precision = _ratio(counts[role, "predicted right"], counts[role, "predicted"])
        recall = _ratio(counts[role, "gold found"], counts[role, "gold"])
        f = _ratio(2 * precision * recall, precision + recall)
        for name, value in (("p", precision), ("r", recall), ("f", f)):
            scores[f"spans_{spans_key}_{role}_{name}"] = value if annotated else None
    return scores


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole else 0.0


def mentions(doc: Doc, spans_key: str) -> set[Entity]:
    """The spans of a group by characters, so that texts with other tokens compare."""
    return {Entity(span.start_char, span.end_char, span.label_) for span in doc.spans.get(spans_key, [])}


def roles_of(spans: set[Entity]) -> dict[str, set[Entity]]:
    """Which spans have which role among each other. Two labels on one span do not contain each other."""
    outer, inner = nested_parts(spans)
    return {"nested": outer | inner, "outer": outer, "inner": inner, "flat": spans - outer - inner}
