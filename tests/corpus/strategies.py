"""Random records for round trips: any text that UTF-8 can hold, entities in any position to each other."""

from typing import Any

from hypothesis import strategies as st

from spacy_medflat.corpus.formats.fields import looks_like_annotations
from spacy_medflat.corpus.record import Entity, Record

# Characters on which offsets go wrong elsewhere, mixed with any other.
TRICKY = '右肺上叶腺癌ⅢⅣ①％（）ＷＢＣｍ 　\t\n\r\x00\x0b\x1c\x85\u2028\ufeff\u200d️é👩‍⚕🧑<>"\\/,;'
ANY_CHARACTER = st.one_of(st.sampled_from(TRICKY), st.characters(exclude_categories=["Cs"]))


def _without_annotations(fields: dict[str, Any]) -> bool:
    return not any(looks_like_annotations(name, value) for name, value in fields.items())


texts = st.text(ANY_CHARACTER, max_size=40)
labels = st.one_of(st.sampled_from(["bod", "dis", "sym"]), st.text(ANY_CHARACTER, max_size=5))
json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=5,
)
# Names that a format uses for itself cannot come back; "id" has its own tests.
metas = st.dictionaries(
    texts.filter(lambda key: key not in {"id", "text", "entities", "label", "labels", "relations", "spans"}),
    json_values,
    max_size=2,
).filter(_without_annotations)
# Names that no format uses in an entity; "id" and "origin" are those of tools.
entity_fields = st.sampled_from(["id", "origin", "negated", "token_start", "值"])
entity_metas = st.dictionaries(entity_fields, json_values, max_size=2).filter(_without_annotations)
# Of single precision, as in a DocBin.
scores = st.none() | st.floats(0, 1, width=32)


@st.composite
def records(
    draw: st.DrawFn,
    texts: st.SearchStrategy[str] = texts,
    labels: st.SearchStrategy[str] = labels,
    metas: st.SearchStrategy[dict[str, Any]] = metas,
    ids: st.SearchStrategy[str] = texts,
    entity_metas: st.SearchStrategy[dict[str, Any]] | None = None,
    scores: st.SearchStrategy[float | None] | None = None,
) -> Record:
    """A record whose entities are stretches of its text, in any order and any position to each other."""
    entity_metas = st.just({}) if entity_metas is None else entity_metas
    scores = st.none() if scores is None else scores
    text = draw(texts)
    entities = []
    if text:
        bounds = st.tuples(st.integers(0, len(text)), st.integers(0, len(text))).filter(lambda b: b[0] != b[1])
        for start, end in draw(st.lists(bounds, max_size=5)):
            entity = Entity(min(start, end), max(start, end), draw(labels), score=draw(scores), meta=draw(entity_metas))
            entities.append(entity)
    return Record(text, entities, id=draw(ids), meta=draw(metas))
