import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from spacy_medflat.ensemble.combine import combine
from spacy_medflat.ner.candidates import Candidates

KNOWN = np.array([[True, True], [True, False], [True, True]])
SPANS = st.dictionaries(st.tuples(st.integers(0, 3), st.integers(4, 6), st.integers(0, 1)), st.floats(0, 1, width=32))


@given(st.lists(SPANS, min_size=3, max_size=3))
def test_scores_are_means_over_the_members_that_know_the_label(members):
    members = [
        {span: score for span, score in found.items() if known[span[2]]}
        for found, known in zip(members, KNOWN, strict=True)
    ]
    columns = [np.array(list(found), dtype=np.int64).reshape(-1, 3).T for found in members]
    scores = [np.array(list(found.values()), dtype=np.float32) for found in members]
    combined = combine([Candidates(*c, s) for c, s in zip(columns, scores, strict=True)], KNOWN)
    every = sorted({span for found in members for span in found}, key=lambda s: (s[0], -s[1], s[2]))
    assert list(zip(*(column.tolist() for column in combined[:3]), strict=True)) == every
    means = [sum(found.get(span, 0.0) for found in members) / (3, 2)[span[2]] for span in every]
    np.testing.assert_allclose(combined.score, means, rtol=1e-6, atol=1e-30)


@given(st.floats(0, 1, width=32))
def test_the_mean_of_equal_scores_is_exactly_that_score(score):
    spans = Candidates(*np.array([[0], [2], [0]]), np.array([score], dtype=np.float32))
    assert combine([spans] * 3, KNOWN).score.tolist() == [score]
