from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spacy_medflat.corpus.formats.registry import FORMATS, read_records, write_records
from spacy_medflat.corpus.record import Entity, Record

from ..helpers import kinds, whole
from ..strategies import ANY_CHARACTER, entity_metas, metas, records, scores

HOLD_SCORES = ("jsonl", "prodigy", "labelstudio")
# A white space character that is a token of its own cannot be cut.
TEXTS = st.text(ANY_CHARACTER.filter(lambda char: not char.isspace()), max_size=30)
LABELS = st.sampled_from(["bod", "dis", "sym"])


def through(records, name, folder):
    path = folder / ("a.json" if name in ("cmeee", "labelstudio") else "a")
    return write_records(records, path, name), list(read_records(path, name))


@pytest.mark.parametrize("name", HOLD_SCORES)
@settings(max_examples=60)
@given(items=st.lists(records(entity_metas=entity_metas, scores=scores), max_size=3))
def test_everything_survives(name, items, tmp_path_factory):
    problems, found = through(items, name, tmp_path_factory.getbasetemp())
    assert (problems, whole(found)) == ([], whole(items))


@pytest.mark.parametrize("name", ["cmeee", "doccano"])
@settings(max_examples=60)
@given(items=st.lists(records(entity_metas=entity_metas), max_size=3))
def test_everything_but_scores_survives(name, items, tmp_path_factory):
    problems, found = through(items, name, tmp_path_factory.getbasetemp())
    assert (problems, whole(found)) == ([], whole(items))


@settings(max_examples=60)
@given(items=st.lists(records(texts=TEXTS, entity_metas=entity_metas, scores=st.floats(0, 1, width=32)), max_size=3))
def test_everything_survives_in_docbin(items, tmp_path_factory):
    problems, found = through(items, "docbin", tmp_path_factory.getbasetemp())
    assert (problems, whole(found)) == ([], whole(items))


@pytest.mark.parametrize("name", sorted({*FORMATS} - {"docbin"}))
@settings(max_examples=40)
@given(
    item=records(
        texts=TEXTS.filter(bool),
        labels=LABELS,
        metas=metas,
        ids=st.just("n 1"),
        entity_metas=entity_metas,
        scores=scores,
    )
)
def test_what_does_not_survive_is_named(name, item, tmp_path_factory):
    problems, (found,) = through([item], name, tmp_path_factory.mktemp(name))
    lost = [p.detail for p in problems]
    assert set(kinds(problems)) <= {"dropped_meta", "dropped_span"}
    assert (found.id == item.id) or any(detail.startswith("identifier") for detail in lost)
    assert (found.meta == item.meta) or sum(detail.startswith("field ") for detail in lost) == len(item.meta)
    assert len(found.entities) + kinds(problems).count("dropped_span") == len(item.entities)
    if any(e.score is not None for e in item.entities):
        assert ("scores" in lost) is (name not in HOLD_SCORES)
    names = {key for entity in item.entities for key in entity.meta}
    kept = {key for entity in found.entities for key in entity.meta}
    assert kept == names or sum(detail.startswith("entity field") for detail in lost) == len(names)


def uncertain(record, unknown, weight):
    """The record with some of its entities among the unknown spans, and a weight."""
    return replace(record, entities=record.entities[unknown:], unknown=record.entities[:unknown], weight=weight)


@pytest.mark.parametrize("name", ["jsonl", "docbin"])
@settings(max_examples=40)
@given(
    items=st.lists(
        st.builds(
            uncertain,
            records(texts=TEXTS, entity_metas=entity_metas, scores=st.floats(0, 1, width=32)),
            st.integers(0, 3),
            st.floats(0, 1e6),
        ),
        max_size=3,
    )
)
def test_unknown_spans_and_weights_survive(name, items, tmp_path_factory):
    problems, found = through(items, name, tmp_path_factory.getbasetemp())
    assert problems == []
    assert [(r.unknown, r.weight, r.entities) for r in found] == [(r.unknown, r.weight, r.entities) for r in items]
    fields = [[(e.score, e.meta) for e in record.unknown] for record in found]
    assert fields == [[(e.score, e.meta) for e in record.unknown] for record in items]


@pytest.mark.parametrize("name", sorted({*FORMATS} - {"docbin", "jsonl"}))
def test_formats_without_unknown_spans_say_so(name, tmp_path):
    item = Record("肺癌", [Entity(0, 2, "dis")], place="p", unknown=[Entity(0, 1, "bod")], weight=0.5)
    problems, (found,) = through([item], name, tmp_path)
    assert {"p: dropped_unknown: unknown spans ×1", "p: dropped_meta: weight 0.5"} <= {str(p) for p in problems}
    assert (found.unknown, found.weight, found.entities) == ([], 1.0, item.entities)


def test_scores_that_only_some_entities_have_are_reported(tmp_path):
    item = Record("肺癌", [Entity(0, 1, "bod", score=0.5), Entity(0, 2, "dis")], place="x")
    problems, _ = through([item], "docbin", tmp_path)
    assert [str(p) for p in problems] == ["x: dropped_meta: scores ×1: 1 entity without one"]
