import numpy as np
import pytest

from spacy_medflat.errors import MedflatError
from spacy_medflat.lattice.lexicon_words import LexiconWords
from spacy_medflat.vectors.train import Sentences, Word2VecSettings, train_vectors

TEXTS = ["右肺上叶腺癌术后", "左肺下叶腺癌术后", " \n"] * 30
SMALL = Word2VecSettings(dimension=8, min_count=1, epochs=2)


@pytest.fixture
def source():
    source = LexiconWords()
    source.add_words(["右肺上叶", "左肺下叶", "肺上", "腺癌", "不见"])
    return source


def test_tokens_get_vectors(source):
    trained = train_vectors(TEXTS, source, SMALL)
    assert (trained.texts, trained.tokens) == (60, 240)
    assert trained.words == {"右肺上叶": 30, "左肺下叶": 30, "肺上": 30, "腺癌": 60}
    assert set(trained.table.words[:3]) == {"腺癌", "术", "后"}
    assert set(trained.table.words) == {"右肺上叶", "左肺下叶", "腺癌", "术", "后"}
    assert trained.table.matrix.shape == (5, 8)
    assert trained.table.matrix.dtype == np.float32


def test_one_worker_and_one_seed_give_the_same_vectors(source):
    first, second, other = (
        train_vectors(TEXTS, source, Word2VecSettings(8, min_count=1, epochs=2, seed=seed)) for seed in (3, 3, 4)
    )
    assert first.table.words == second.table.words
    np.testing.assert_array_equal(first.table.matrix, second.table.matrix)
    assert not np.array_equal(first.table.matrix, other.table.matrix)


def test_settings_reach_the_training(source):
    def matrix(**settings):
        return train_vectors(
            TEXTS, source, Word2VecSettings(8, **{"min_count": 1, "epochs": 2, **settings})
        ).table.matrix

    base = matrix()
    for settings in ({"window": 1}, {"epochs": 3}, {"negative": 2}, {"skip_gram": False}):
        assert not np.array_equal(base, matrix(**settings)), settings
    assert len(matrix(min_count=31)) == 3


def test_progress(source):
    seen = []
    train_vectors(TEXTS, source, SMALL, lambda *step: seen.append(step))
    assert seen[0] == ("segmenting", 1, None)
    assert seen[60] == ("counting", 1, 60)
    assert seen[-1] == ("training", 120, 120)
    assert len(seen) == 60 + 60 + 120


@pytest.mark.parametrize(
    ("texts", "settings", "message"),
    [
        ([], SMALL, "hold no text"),
        (["  "], SMALL, "hold no text"),
        (["术后"], Word2VecSettings(), "no token occurs 5 times"),
    ],
)
def test_too_little(source, texts, settings, message):
    with pytest.raises(MedflatError, match=message):
        train_vectors(texts, source, settings)


def test_sentences_are_split_only_where_they_must(tmp_path):
    path = tmp_path / "s.txt"
    path.write_text(f"右肺 \u2028 \x85\n{'肺 ' * 10_000}癌\n", encoding="utf-8")
    steps = []
    sentences = Sentences(path, steps.append)
    assert [len(sentence) for sentence in sentences] == [3, 10_000, 1]
    assert [sentence[-1] for sentence in sentences] == ["\x85", "肺", "癌"]
    assert steps == [1, 2, 3, 4]
