import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from spacy_medflat.ner.band import make_band
from spacy_medflat.ner.candidates import find_candidates
from spacy_medflat.ner.pointer import EfficientGlobalPointerScores
from tests.ner import reference

D, N = 4, 2


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(0, 12), min_size=1, max_size=4), st.integers(1, 14), st.integers(0, 1000))
def test_candidates_are_the_spans_above_the_floor_of_their_label(lengths, max_width, seed):
    torch.manual_seed(seed)
    features = torch.randn(sum(lengths), 2 * D + 2 * N, dtype=torch.float64)
    floors = np.array([0.5, -0.2])
    band = make_band(np.array(lengths), max_width, block_starts=5)
    found = find_candidates(features, band, EfficientGlobalPointerScores(D), floors)
    assert len(found) == len(lengths)
    for text, candidates in zip(features.split(lengths), found, strict=True):
        expected = {}
        for i in range(len(text)):
            for j in range(i, min(len(text), i + max_width)):
                for label in range(N):
                    logit = reference.efficient_logit(text, i, j, label, D, N)
                    if logit > floors[label]:
                        expected[i, j + 1, label] = torch.sigmoid(logit).item()
        spans = list(zip(*(column.tolist() for column in candidates[:3]), strict=True))
        assert spans == sorted(expected, key=lambda s: (s[0], -s[1], s[2]))
        np.testing.assert_allclose(candidates.score, [expected[span] for span in spans], rtol=1e-5)
