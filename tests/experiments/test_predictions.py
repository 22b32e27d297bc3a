import json

import numpy as np
import pytest
import spacy
from hypothesis import given
from hypothesis import strategies as st

from spacy_medflat.corpus.record import Entity
from spacy_medflat.errors import ExperimentError
from spacy_medflat.experiments.predictions import (
    as_candidates,
    passing,
    read_predictions,
    scored_spans,
    tuned_f1,
    write_predictions,
)
from spacy_medflat.ner.spans import Candidates, logit

from .helpers import entities

LABELS = ["bod", "dis", "sym"]
# Exact in float32.
scored = st.dictionaries(entities, st.integers(2, 64).map(lambda n: n / 64), max_size=6)


def test_tokens_become_characters():
    doc = spacy.blank("zh").make_doc("肺  癌，\n咳嗽")
    token = {token.text: token.i for token in doc}
    columns = [token["癌"], token["咳"]], [token["，"], len(doc)], [1, 0]
    found = scored_spans(doc, Candidates(*(np.array(c) for c in columns), logit([0.9, 0.1])), ["sym", "dis"])
    assert found == {Entity(3, 4, "dis"): 0.9, Entity(6, 8, "sym"): 0.1}
    assert [doc.text[e.start : e.end] for e in found] == ["癌", "咳嗽"]


@given(st.lists(scored, max_size=3))
def test_a_file_gives_back_what_was_written(tmp_path_factory, predictions):
    path = tmp_path_factory.mktemp("p") / "p.jsonl"
    write_predictions(path, [f"n{i}" for i in range(len(predictions))], predictions)
    assert read_predictions(path) == predictions
    lines = [json.loads(line) for line in path.read_text(encoding="utf8").splitlines()]
    assert [(line["index"], line["id"]) for line in lines] == [(i, f"n{i}") for i in range(len(predictions))]


def test_a_file_appears_whole_or_not_at_all(tmp_path):
    def broken():
        yield {}
        raise RuntimeError("no more")

    with pytest.raises(RuntimeError):
        write_predictions(tmp_path / "p.jsonl", ["a", "b"], broken())
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("line", ["{", '{"index": 1, "spans": []}', '{"index": 0, "spans": [[0, 1, "x"]]}', "[]"])
def test_a_bad_line_is_named(tmp_path, line):
    (tmp_path / "p.jsonl").write_text(f"{line}\n", encoding="utf8")
    with pytest.raises(ExperimentError, match=r"p\.jsonl line 1: no prediction"):
        read_predictions(tmp_path / "p.jsonl")


@given(scored)
def test_what_passes(spans):
    thresholds = {"bod": 0.3, "dis": 0.5, "sym": 0.9}
    assert passing(spans, thresholds) == {e: s for e, s in spans.items() if s > thresholds[e.label]}
    flat = passing(spans, thresholds, "flat")
    assert flat.items() <= passing(spans, thresholds).items()
    assert not any(a != b and a.start < b.end and b.start < a.end for a in flat for b in flat)


@given(scored)
def test_candidates_hold_the_same_spans_in_order(spans):
    found = as_candidates(spans, {label: i for i, label in enumerate(LABELS)})
    rows = list(zip(found.start.tolist(), found.end.tolist(), found.label.tolist(), found.score.tolist(), strict=True))
    assert {Entity(s, e, LABELS[label]): score for s, e, label, score in rows} == spans
    assert rows == sorted(rows, key=lambda row: (row[0], -row[1], row[2]))


THRESHOLDS = {"dis": 0.5}


def text(right, wrong=None):
    """One gold span found with a probability, and perhaps one that is not gold."""
    spans = {Entity(0, 2, "dis"): right}
    return frozenset({Entity(0, 2, "dis")}), spans if wrong is None else {**spans, Entity(5, 6, "dis"): wrong}


def f1_of(*texts):
    gold, predictions = zip(*texts, strict=True)
    return tuned_f1(gold, predictions, THRESHOLDS, min_gold=1)


def test_a_threshold_that_both_halves_agree_on():
    assert f1_of(*[text(0.3, 0.1)] * 4) == 1.0


def test_a_threshold_is_scored_on_the_texts_that_did_not_choose_it():
    # Even texts ask for a threshold below 0.2, odd ones for one between 0.4 and 0.6. With the other half's,
    # even texts find nothing, and odd ones both.
    assert f1_of(*[text(0.2), text(0.6, 0.4)] * 2) == pytest.approx(2 * 2 / (4 + 4))


def test_gold_of_unknown_labels_counts_as_missed():
    gold, spans = text(0.9)
    strange = gold | {Entity(0, 1, "equ")}
    assert tuned_f1([strange, gold], [spans, spans], THRESHOLDS, min_gold=1) == pytest.approx(2 * 2 / (2 + 3))
