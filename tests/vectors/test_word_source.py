import pytest

from spacy_medflat.errors import MedflatError
from spacy_medflat.lattice.rules import WordRules
from spacy_medflat.vectors.word_source import make_source


def test_a_lexicon(tmp_path):
    (tmp_path / "words.txt").write_text("右肺\n", encoding="utf-8")
    words = make_source(tmp_path / "words.txt").find(["在右肺"])
    assert (words.start.tolist(), words.end.tolist()) == ([1], [3])


def test_rules(tmp_path):
    (tmp_path / "words.txt").write_text("右肺\n右肺上叶\nT细胞\n", encoding="utf-8")
    words = make_source(tmp_path / "words.txt", rules=WordRules(3, 4, False)).find(["右肺上叶T细胞"])
    assert (words.start.tolist(), words.end.tolist()) == ([0, 4], [4, 7])


def test_segmenters_with_words_of_the_user(tmp_path):
    pytest.importorskip("jieba")
    (tmp_path / "words.txt").write_text("上叶腺癌\n", encoding="utf-8")
    source = make_source(jieba=True, user_dict=tmp_path / "words.txt")
    words = source.find(["右肺上叶腺癌"])
    assert (2, 6) in zip(words.start.tolist(), words.end.tolist(), strict=True)
    assert {tag.sources for tag in words.tags} == {"jieba"}
    with pytest.raises(MedflatError, match=r"words\.txt: words for a segmenter, but there is none"):
        make_source(tmp_path / "words.txt", user_dict=tmp_path / "words.txt")


def test_no_words(tmp_path):
    with pytest.raises(MedflatError, match="give a lexicon, a pkuseg model"):
        make_source()
    with pytest.raises(MedflatError, match=r"none\.tsv: no such file"):
        make_source(tmp_path / "none.tsv")
    with pytest.raises(MedflatError, match="none"):
        make_source(pkuseg=str(tmp_path / "none"))
