import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spacy_medflat.selection.clusters import cluster
from spacy_medflat.selection.vectors import text_vectors

from .notes import documents


def units(n, width=8, seed=0):
    vectors = np.random.default_rng(seed).normal(size=(n, width)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def test_kinds_are_found():
    vectors = text_vectors(note.text for note in documents(60))
    for seed in range(5):
        label = cluster(vectors, np.ones(60), 3, seed).label
        assert all(len({label[i] for i in range(kind, 60, 3)}) == 1 for kind in range(3))
        assert len(set(label.tolist())) == 3


@given(st.integers(1, 12), st.integers(0, 3))
def test_each_is_in_the_group_whose_centre_is_nearest(k, seed):
    vectors = units(12, seed=seed)
    found = cluster(vectors, np.linspace(0.1, 1, 12), k, seed)
    assert found.label.min() >= 0 and found.label.max() < k and len(found.nearness) == 12
    assert (found.nearness <= 1 + 1e-5).all()
    again = cluster(vectors, np.linspace(0.1, 1, 12), k, seed)
    assert (again.label == found.label).all() and (again.nearness == found.nearness).all()


def test_as_many_groups_as_texts_give_each_its_own():
    assert sorted(cluster(units(9), np.ones(9), 9, 0).label.tolist()) == list(range(9))


def test_fewer_directions_than_groups():
    vectors = np.repeat(units(2), 10, axis=0)
    found = cluster(vectors, np.ones(20), 5, 0)
    assert len(set(found.label.tolist())) == 2 and found.nearness == pytest.approx(1.0, abs=1e-5)


def test_without_any_weight_all_count_the_same():
    assert len(set(cluster(units(30), np.zeros(30), 4, 0).label.tolist())) == 4


def test_heavy_texts_draw_the_centres():
    vectors = units(2, width=4)
    many = np.repeat(vectors, [50, 1], axis=0)
    weights = np.array([1e-3] * 50 + [10.0])
    assert sum(cluster(many, weights, 1, seed).nearness[-1] > 0.99 for seed in range(10)) == 10
