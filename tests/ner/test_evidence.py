import itertools

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from spacy_medflat.ner import evidence
from spacy_medflat.ner.evidence import ABSENT, MentionTable, SpanTable, WordTable

PLACES = st.tuples(st.integers(0, 8), st.integers(1, 5)).map(lambda p: (p[0], p[0] + p[1]))
KINDS, LABELS = 2, 3


def ordered(places):
    return sorted(set(places), key=lambda p: (p[0], -p[1]))


def columns(rows, width=2):
    return np.array(rows, dtype=np.int64).reshape(-1, width).T


def span_table(scores):
    """scores (dict): logits by (start, end)."""
    places = ordered(scores)
    logits = np.array([scores[p] for p in places], dtype=np.float32).reshape(-1, LABELS)
    return SpanTable(*columns(places), logits)


def word_table(words):
    """words (dict): kinds by (start, end)."""
    places = ordered(words)
    kinds = np.zeros((len(places), KINDS), dtype=bool)
    for row, place in enumerate(places):
        kinds[row, list(words[place])] = True
    return WordTable(*columns(places), kinds)


LOGITS = st.lists(st.floats(-6, 6, width=32), min_size=LABELS, max_size=LABELS)
SCORES = st.dictionaries(PLACES, LOGITS, max_size=8)
WORDS = st.dictionaries(PLACES, st.sets(st.integers(0, KINDS - 1)), max_size=8)


@given(st.lists(PLACES, max_size=8), st.lists(PLACES, max_size=8))
def test_overlaps_are_all_pairs_that_share_a_token(spans, others):
    spans, others = ordered(spans), ordered(others)
    found = evidence.overlaps(*columns(spans), *columns(others))
    pairs = [
        (i, j)
        for (i, a), (j, b) in itertools.product(enumerate(spans), enumerate(others))
        if a[0] < b[1] and b[0] < a[1]
    ]
    assert sorted(zip(*(c.tolist() for c in found), strict=True)) == sorted(pairs)


@given(SCORES, WORDS)
def test_words_are_described_by_how_a_span_lies_to_them(scores, words):
    spans = span_table(scores)
    found = evidence.word_features(spans, word_table(words))
    relations = (
        lambda s, w: s == w,
        lambda s, w: w[0] <= s[0] and s[1] <= w[1] and s != w,
        lambda s, w: s[0] < w[0] and w[1] == s[1],
        lambda s, w: w[0] < s[0] < w[1] < s[1] or s[0] < w[0] < s[1] < w[1],
    )
    begins = lambda s, w: s[0] == w[0] and w[1] < s[1]  # noqa: E731
    for row, s in enumerate(ordered(scores)):
        of_kinds = [
            float(any(relation(s, w) and kind in words[w] for w in words))
            for relation in relations
            for kind in range(KINDS)
        ]
        of_any = [float(any(r(s, w) for w in words)) for r in (*relations[:2], begins, relations[3])]
        assert found[row].tolist() == of_kinds + of_any


@given(SCORES)
def test_rivals_are_the_best_spans_around_inside_and_across(scores):
    spans = span_table(scores)
    found = evidence.rival_features(spans)
    for row, s in enumerate(ordered(scores)):
        around = [o for o in scores if o != s and o[0] <= s[0] and s[1] <= o[1]]
        inside = [o for o in scores if o != s and s[0] <= o[0] and o[1] <= s[1]]
        across = [o for o in scores if o[0] < s[0] < o[1] < s[1] or s[0] < o[0] < s[1] < o[1]]
        for relation, others in enumerate((around, inside, across)):
            best = np.max([scores[o] for o in others], axis=0) if others else np.full(LABELS, ABSENT)
            np.testing.assert_allclose(found[row, relation], best.astype(np.float32))


@given(SCORES)
def test_the_best_other_label(scores):
    spans = span_table(scores)
    found = evidence.best_other(spans.logits)
    for row, logits in enumerate(spans.logits):
        assert found[row].tolist() == [max(np.delete(logits, label)) for label in range(LABELS)]
    assert (evidence.best_other(spans.logits[:, :1]) == ABSENT).all()


@given(SCORES, WORDS, st.dictionaries(PLACES, st.integers(1, 5), max_size=5))
def test_words_and_mentions_become_spans(scores, words, mentioned):
    rows = [(*place, label, logit) for place, logits in scores.items() for label, logit in enumerate(logits)]
    start, end, label = columns([row[:3] for row in rows], 3)
    logit = np.array([row[3] for row in rows], dtype=np.float64)
    places = ordered(mentioned)
    counts = np.array([[mentioned[p], 0, 0, mentioned[p]] for p in places], dtype=np.int64).reshape(-1, 1 + LABELS)
    mentions = MentionTable(*columns(places), counts)
    spans = evidence.make_spans(start, end, label, logit, word_table(words), mentions, LABELS)
    assert list(zip(spans.start.tolist(), spans.end.tolist(), strict=True)) == ordered({*scores, *words, *mentioned})
    gathered = evidence.gather(spans, word_table(words), mentions)
    for row, place in enumerate(ordered({*scores, *words, *mentioned})):
        expected = scores.get(place, [ABSENT] * LABELS)
        np.testing.assert_allclose(spans.logits[row], np.maximum(expected, ABSENT).astype(np.float32))
        assert gathered.noted[row] == (place in words or place in mentioned)
    assert len(gathered.shared) == len(gathered.own) == len(spans.start)
    assert gathered.own.shape[1] == LABELS


def test_what_the_training_texts_say():
    shared, own = evidence.mention_features(np.array([[0, 0, 0], [100, 5, 0], [10, 10, 0]]))
    assert shared.tolist() == [[0, 0], [1, 1], [1, 0]]
    np.testing.assert_allclose(own[2, 0], [1, 1, 1, 1, np.log(11)], rtol=1e-6)
    np.testing.assert_allclose(own[1, 0], [0.05, 1, 0, 0, 0.05 * np.log(101)], rtol=1e-6)
    assert not own[:, 1].any() and not own[0].any()
