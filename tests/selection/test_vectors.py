import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spacy_medflat.selection.vectors import WIDTH, text_vectors

from ..corpus.strategies import ANY_CHARACTER
from .notes import documents


@given(st.lists(st.text(ANY_CHARACTER, max_size=20), max_size=5))
def test_every_text_has_a_vector_of_unit_length(texts):
    vectors = text_vectors(texts)
    assert vectors.shape == (len(texts), WIDTH) and vectors.dtype == np.float32
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(1.0, abs=1e-5)


def test_texts_of_a_kind_are_nearer_than_others():
    vectors = text_vectors(note.text for note in documents(30))
    nearness = vectors @ vectors.T
    same = np.arange(30)[:, None] % 3 == np.arange(30) % 3
    np.fill_diagonal(same, False)
    others = np.arange(30)[:, None] % 3 != np.arange(30) % 3
    assert nearness[same].min() > nearness[others].max()


def test_what_all_texts_share_counts_little():
    shared = "姓名性别年龄科室床号住院号"
    vectors = text_vectors(
        [f"{shared}咳嗽咳痰", f"{shared}腹痛腹泻", f"{shared}咳嗽咳痰发热", *[f"{shared}{i}" for i in range(9)]]
    )
    nearness = vectors @ vectors.T
    assert nearness[0, 2] > nearness[0, 1] + 0.2
