"""`SpanFinder.floor`: also spans below the thresholds, while all else is as ever."""

from itertools import pairwise

import numpy as np
import pytest
import spacy

from spacy_medflat.ensemble.build import make_ensemble
from spacy_medflat.ner.span_finder import below_key, candidates_of

from ..pipelines import CNN, SENTENCES, add_head, spans_of, train

BELOW = below_key("sc")
TEXTS = [text for text, _ in SENTENCES]


@pytest.fixture(scope="module")
def nlp():
    nlp = small_pipeline()
    recognizer = nlp.get_pipe("medflat_ner")
    middle = np.median(scores_of(nlp))
    recognizer.cfg.update(threshold=float(middle), label_thresholds={"sym": 0.8 * float(middle)})
    return nlp


def small_pipeline(steps=8):
    nlp = spacy.blank("zh")
    add_head(nlp, CNN)
    train(nlp, steps)
    return nlp


def scores_of(nlp):
    found = candidates_of(nlp, nlp.get_pipe("medflat_ner"), TEXTS)
    return [score for _, candidates in found for score in candidates.score.tolist()]


def scored(doc, key):
    scores = doc.spans[key].attrs["scores"]
    return {span: float(score) for span, score in zip(spans_of(doc, key), scores, strict=True)}


def test_the_chosen_spans_are_as_ever_and_the_others_stand_beside_them(nlp):
    finder = nlp.get_pipe("medflat_ner")
    usual = [scored(doc, "sc") for doc in nlp.pipe(TEXTS)]
    with finder.floor(0.01):
        docs = list(nlp.pipe(TEXTS))
    found = 0
    for doc, before in zip(docs, usual, strict=True):
        above, below = scored(doc, "sc"), scored(doc, BELOW)
        assert above == pytest.approx(before)
        assert all(0.01 < score <= finder.threshold_of(label) for (_, _, label), score in below.items())
        found += len(below)
    assert found
    assert BELOW not in nlp(TEXTS[0]).spans


def test_what_nesting_leaves_out_is_below():
    flat = small_pipeline()
    finder = flat.get_pipe("medflat_ner")
    finder.cfg.update(nesting="flat", threshold=0.03)
    with finder.floor(0.02):
        docs = list(flat.pipe(TEXTS))
    assert any(score > 0.03 for doc in docs for score in scored(doc, BELOW).values())
    for doc in docs:
        places = [(span.start, span.end) for span in doc.spans["sc"]]
        assert all(one[1] <= two[0] for one, two in pairwise(places))
        assert not scored(doc, "sc").keys() & scored(doc, BELOW).keys()


def test_a_floor_above_a_threshold_hides_nothing(nlp):
    before = scored(nlp(TEXTS[0]), "sc")
    with nlp.get_pipe("medflat_ner").floor(1.0):
        doc = nlp(TEXTS[0])
    assert scored(doc, "sc") == pytest.approx(before) and not doc.spans[BELOW]


def test_it_ends_with_its_block_also_after_an_error(nlp):
    finder = nlp.get_pipe("medflat_ner")
    with pytest.raises(RuntimeError), finder.floor(0.1):
        raise RuntimeError
    assert BELOW not in nlp(TEXTS[0]).spans
    with pytest.raises(ValueError, match="'floor' of 'medflat_ner' must be from 0 to 1"), finder.floor(2):
        pass


@pytest.mark.parametrize("mode", ["average", "vote"])
def test_an_ensemble_has_it_too(nlp, mode):
    other = small_pipeline(6)
    other.get_pipe("medflat_ner").cfg["threshold"] = float(np.median(scores_of(other)))
    ensemble = make_ensemble([nlp, other], mode=mode)
    usual = [scored(doc, "sc") for doc in ensemble.pipe(TEXTS)]
    with ensemble.get_pipe("medflat_ensemble").floor(0.05):
        docs = list(ensemble.pipe(TEXTS))
    assert [scored(doc, "sc") for doc in docs] == usual
    assert any(scored(doc, BELOW) for doc in docs)
    if mode == "vote":
        assert {score for doc in docs for score in scored(doc, BELOW).values()} == {0.5}
