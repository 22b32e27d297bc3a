import gzip

import numpy as np
import pytest
import spacy
from spacy.tokens import DocBin
from spacy.training.initialize import init_nlp

from spacy_medflat.errors import MedflatError
from spacy_medflat.vectors.convert import WordFilter, load_vectors
from spacy_medflat.vectors.store import (
    TableBuilder,
    VectorCoverage,
    VectorTable,
    has_vector,
    read_vocab,
    vector_coverage,
    vectors_folder,
    write_vectors,
    write_word2vec,
)

WORDS = ["肺癌", "肺", "右肺上叶"]
MATRIX = np.arange(6, dtype=np.float32).reshape(3, 2) + 1


@pytest.fixture
def folder(tmp_path):
    write_vectors(VectorTable(WORDS, MATRIX), tmp_path / "new" / "vectors")
    return tmp_path / "new" / "vectors"


def test_builder_keeps_words_and_rows_in_step():
    builder = TableBuilder(2)
    for i in range(5000):
        builder.add(f"w{i}", np.float32([i, -i]))
    assert "w4999" in builder and "w5000" not in builder
    with pytest.raises(ValueError, match="'w7' has a vector already"):
        builder.add("w7", np.float32([0, 0]))
    table = builder.finish()
    assert table.words == [f"w{i}" for i in range(5000)]
    assert table.matrix.shape == (5000, 2)
    assert (table.matrix == np.arange(5000)[:, None] * [1, -1]).all()
    assert builder.finish().words == []


def test_loads_as_a_pipeline(folder):
    nlp = spacy.load(folder)
    doc = nlp("肺癌")
    assert [token.text for token in doc] == ["肺", "癌"]
    assert (nlp.vocab["右肺上叶"].vector == MATRIX[2]).all()
    assert [token.has_vector for token in doc] == [True, False]
    assert {nlp.vocab.strings[key]: row for key, row in nlp.vocab.vectors.key2row.items()} == {
        word: row for row, word in enumerate(WORDS)
    }
    assert nlp.meta["vectors"] == {"width": 2, "vectors": 3, "keys": 3, "name": "vectors.vectors", "mode": "default"}


def test_serves_the_initialize_block(folder):
    nlp = spacy.blank("zh")
    DocBin(docs=[nlp("肺癌")]).to_disk(folder.parent / "train.spacy")
    corpus = {"@readers": "spacy.Corpus.v1", "path": str(folder.parent / "train.spacy")}
    settings = {"corpora": {"train": corpus, "dev": corpus}, "initialize": {"vectors": str(folder)}}
    nlp = init_nlp(nlp.config.merge(settings))
    assert nlp.vocab.vectors.shape == (3, 2)
    assert "右肺上叶" in nlp.vocab.strings
    assert (nlp.vocab["肺癌"].vector == MATRIX[0]).all()


def test_writes_whole_or_not_at_all(folder):
    with pytest.raises(MedflatError, match="not empty"):
        write_vectors(VectorTable(WORDS, MATRIX), folder)
    with pytest.raises(MedflatError, match="no word to write"):
        write_vectors(VectorTable([], MATRIX[:0]), folder.parent / "other")
    assert [path.name for path in folder.parent.iterdir()] == ["vectors"]


@pytest.mark.parametrize("name", ["v.txt", "v.txt.gz"])
def test_word2vec_text(tmp_path, name):
    table = VectorTable(WORDS, MATRIX / 3)
    write_word2vec(table, tmp_path / name)
    data = (tmp_path / name).read_bytes()
    write_word2vec(table, tmp_path / name)
    assert (tmp_path / name).read_bytes() == data
    text = (gzip.decompress(data) if name.endswith(".gz") else data).decode()
    assert text == "3 2\n肺癌 0.33333 0.66667\n肺 1 1.3333\n右肺上叶 1.6667 2\n"
    again, _ = load_vectors(tmp_path / name, keep=WordFilter())
    assert again.words == WORDS
    np.testing.assert_allclose(again.matrix, table.matrix, rtol=1e-4)


def test_a_file_in_the_way_is_found_before_the_work(tmp_path):
    (tmp_path / "v").write_text("mine", encoding="utf8")
    with pytest.raises(MedflatError, match="a file of this name"), vectors_folder(tmp_path / "v"):
        pytest.fail("work began")
    assert (tmp_path / "v").read_text(encoding="utf8") == "mine"


def test_word2vec_text_cannot_hold_spaces(tmp_path):
    with pytest.raises(MedflatError, match="'肺 癌' is empty or has a space"):
        write_word2vec(VectorTable(["肺 癌"], MATRIX[:1]), tmp_path / "v.txt")
    assert not list(tmp_path.iterdir())


def test_reads_the_vocabulary(folder):
    vocab = read_vocab(folder)
    known = has_vector(vocab)
    strings = len(vocab.strings)
    assert [word for word in (*WORDS, "癌", "") if known(word)] == WORDS
    assert len(vocab.strings) == strings


def test_no_vectors_to_read(tmp_path, folder):
    with pytest.raises(MedflatError, match="no file vocab/vectors"):
        read_vocab(tmp_path)
    spacy.blank("zh").to_disk(tmp_path / "blank")
    with pytest.raises(MedflatError, match="no vectors of words"):
        read_vocab(tmp_path / "blank")
    (folder / "vocab" / "vectors").write_bytes(b"x")
    with pytest.raises(MedflatError, match="cannot be read"):
        read_vocab(folder)


def test_coverage():
    known = {"肺癌", "肺", "炎"}.__contains__
    words = {"肺癌": 3, "肺炎": 2, "肝炎": 1, "": 1, "胃癌": 2}
    assert vector_coverage(words, known) == VectorCoverage(9, 3, 3)
    assert vector_coverage(dict.fromkeys(words, 1), known) == VectorCoverage(5, 1, 2)
    assert str(vector_coverage(words, known)) == (
        "3 of 9 have a vector (33.3 %), 3 more can be composed from characters (33.3 %)"
    )
    assert str(vector_coverage({}, known)) == "no words"
