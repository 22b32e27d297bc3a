import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from spacy_medflat.encoder.pretraining.initial_vectors import project, read_character_vectors, set_embeddings
from spacy_medflat.errors import MedflatError
from spacy_medflat.vectors.store import VectorTable, write_vectors

from ...pipelines import ASSETS

DRAW = np.random.default_rng(0)


def distances(vectors):
    return np.linalg.norm(vectors[:, None] - vectors[None], axis=-1)


@given(st.integers(2, 20), st.integers(2, 20), st.integers(0, 5))
def test_where_there_is_room_all_distances_keep_their_proportions(words, width, seed):
    vectors = np.random.default_rng(seed).normal(3, 1, (words, min(width, 6))).astype("f")
    found = project(vectors, width, 0.02, seed)
    assert found.shape == (words, width) and found.std() == pytest.approx(0.02, rel=1e-3)
    before, after = distances(vectors), distances(found)
    assert after == pytest.approx(before * (after.sum() / before.sum()), abs=1e-3)


def test_where_there_is_less_the_directions_of_most_variance_are_kept():
    vectors = DRAW.normal(size=(50, 30)).astype("f")
    vectors[:, 5:] *= 0.01
    before, after = distances(vectors), distances(project(vectors, 5, 0.02, 0))
    assert after == pytest.approx(before * (after.sum() / before.sum()), abs=0.01)


def test_embeddings_without_a_vector_stay_as_they_are():
    embeddings = torch.nn.Embedding(6, 16)
    before = embeddings.weight.detach().clone()
    table = VectorTable(["咳", "X", "嗽", "热"], DRAW.normal(size=(4, 8)).astype("f"))
    assert set_embeddings(embeddings, {"[PAD]": 0, "咳": 2, "嗽": 3, "热": 5}, table, 0) == 3
    same = (embeddings.weight == before).all(1)
    assert same.tolist() == [True, True, False, False, True, False]
    assert embeddings.weight[[2, 3, 5]].std().item() == pytest.approx(before.std().item(), rel=0.1)
    with pytest.raises(MedflatError, match="hardly a character"):
        set_embeddings(embeddings, {"痛": 1}, table, 0)


def test_vectors_of_a_file_and_of_a_folder(tmp_path):
    words = read_character_vectors(ASSETS / "vectors.txt.gz").words
    assert "肺" in words and all(len(word) == 1 for word in words)
    write_vectors(VectorTable(["肺", "心", "肺癌"], DRAW.normal(size=(3, 4)).astype("f")), tmp_path / "v")
    table = read_character_vectors(tmp_path / "v")
    assert sorted(table.words) == ["心", "肺"] and table.matrix.shape == (2, 4)
    write_vectors(VectorTable(["肺癌", "腺癌"], DRAW.normal(size=(2, 4)).astype("f")), tmp_path / "w")
    with pytest.raises(MedflatError, match="vectors of 0 single characters"):
        read_character_vectors(tmp_path / "w")
    with pytest.raises(MedflatError, match="no such file"):
        read_character_vectors(tmp_path / "none")
