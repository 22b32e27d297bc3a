"""Writing candidates into a Doc."""

from collections.abc import Sequence

from spacy.tokens import Doc, Span, SpanGroup

from .candidates import Candidates
from .nesting import Nesting, resolve


def annotate(
    doc: Doc, candidates: Candidates, labels: Sequence[str], key: str, nesting: Nesting, set_ents: bool
) -> None:
    """Write the candidates that may stand together into `doc.spans[key]`, and their scores into its `attrs["scores"]`.

    labels: the names of the candidates' labels.
    set_ents (bool): also write the best spans without overlap into `doc.ents`. Entities that are there already stay
        where none of these overlaps them.
    """
    chosen = resolve(candidates, nesting)
    group = SpanGroup(doc, name=key, spans=_spans(doc, chosen, labels))
    group.attrs["scores"] = chosen.score
    doc.spans[key] = group
    if set_ents:
        new = _spans(doc, resolve(candidates, "flat"), labels)
        taken = {i for span in new for i in range(span.start, span.end)}
        doc.ents = new + [ent for ent in doc.ents if taken.isdisjoint(range(ent.start, ent.end))]


def _spans(doc: Doc, candidates: Candidates, labels: Sequence[str]) -> list[Span]:
    columns = (candidates.start.tolist(), candidates.end.tolist(), candidates.label.tolist())
    return [Span(doc, start, end, label=labels[label]) for start, end, label in zip(*columns, strict=True)]
