import pickle

import pytest
import spacy
from hypothesis import given
from hypothesis import strategies as st

from spacy_medflat.lattice import segmenter
from spacy_medflat.lattice.rules import WordRules
from spacy_medflat.lattice.segmenter import SegmenterWords
from spacy_medflat.lattice.source import WordSource

from ..corpus.helpers import write
from ..corpus.strategies import texts
from .helpers import PLACES, TEXT, rows


class Pairs:
    """A segmenter that drops white space and cuts after every second character, or where its own words are."""

    def __init__(self, own):
        self.own = own

    def __call__(self, text):
        for part in text.split():
            if part in self.own:
                yield part
            else:
                yield from (part[i : i + 2] for i in range(0, len(part), 2))


@pytest.fixture
def pairs(monkeypatch):
    read = lambda model: {"model": str(model).encode()}  # noqa: E731
    load = lambda files, words: Pairs(words)  # noqa: E731
    monkeypatch.setitem(segmenter.SEGMENTERS, "pkuseg", (read, load))


def test_words(pairs):
    source = spacy.registry.resolve({"words": {"@misc": "spacy_medflat.SegmenterWords.v1", "model": "x"}})["words"]
    assert isinstance(source, WordSource)
    with pytest.raises(ValueError, match=r"'segmenter' has no pkuseg model yet: call nlp\.initialize"):
        source.find(["肺癌"])
    source.initialize()
    assert rows(source.find(["1.\n肺癌 3 咳嗽咳", "", "X肺"])) == [
        (0, 3, 5, "", "segmenter"),
        (0, 8, 10, "", "segmenter"),
    ]


def test_saving(pairs, tmp_path):
    user_dict = write(tmp_path / "user.tsv", "word\ttype\n右肺上叶\tbod\n")
    source = SegmenterWords(model="x", user_dict=str(user_dict))
    source.initialize()
    user_dict.unlink()
    expected = [(0, 0, 4, "", "segmenter")]
    assert rows(source.find(["右肺上叶"])) == expected
    source.to_disk(tmp_path / "words")
    for again in (
        SegmenterWords().from_disk(tmp_path / "words"),
        SegmenterWords().from_bytes(source.to_bytes()),
        pickle.loads(pickle.dumps(source)),
    ):
        assert rows(again.find(["右肺上叶"])) == expected
    assert pickle.loads(pickle.dumps(SegmenterWords(WordRules(1, 3)))).rules == WordRules(1, 3)


def test_unknown_segmenter():
    with pytest.raises(ValueError, match="must be one of pkuseg, jieba, but it is 'mecab'"):
        SegmenterWords(segmenter="mecab")


@given(st.lists(texts, max_size=3))
def test_places_in_any_text(notes):
    source = SegmenterWords(WordRules(1, 8, chinese_only=False))
    source._cut = Pairs([])
    found = rows(source.find(notes))
    assert "".join(notes[i][start:end] for i, start, end, *_ in found) == "".join(
        "".join(note.split()) for note in notes
    )


def test_jieba(tmp_path):
    pytest.importorskip("jieba")
    dictionary = write(tmp_path / "dict.txt", "肾盂 9 n\n膀胱 9 n\n输尿管 9 n\n结石 9 n\n")
    source = SegmenterWords(segmenter="jieba", model=str(dictionary))
    source.initialize()
    dictionary.unlink()
    again = SegmenterWords(segmenter="jieba").from_bytes(source.to_bytes())
    assert [(TEXT[start:end], start, end) for _, start, end, *_ in rows(again.find([TEXT]))] == PLACES


def test_jieba_with_words_of_the_user(tmp_path):
    pytest.importorskip("jieba")
    path = write(tmp_path / "user.txt", "输尿管结石\n")
    source = SegmenterWords(segmenter="jieba", user_dict=str(path))
    source.initialize()
    assert (0, 8, 13, "", "segmenter") in rows(source.find([TEXT]))
    source.to_disk(tmp_path / "words")
    assert rows(SegmenterWords(segmenter="jieba").from_disk(tmp_path / "words").find([TEXT])) == rows(
        source.find([TEXT])
    )


def test_bad_jieba_dictionaries(tmp_path):
    pytest.importorskip("jieba")
    with pytest.raises(ValueError, match=r"no jieba dictionary 'none\.txt'"):
        SegmenterWords(segmenter="jieba", model="none.txt").initialize()
    path = write(tmp_path / "dict.txt", "肾盂 many\n")
    with pytest.raises(ValueError, match="damaged jieba dictionary"):
        SegmenterWords(segmenter="jieba", model=str(path)).initialize()


def test_rules_are_for_the_word_as_the_text_has_it():
    # The segmenter gives other forms of the characters that it was given.
    source = SegmenterWords(WordRules(2, 8))
    source._cut = lambda text: [text.replace("Ｔ", "t").replace("\uf900", "\u8c48")]
    assert rows(source.find(["\uf900肺", "Ｔ肺"])) == [(0, 0, 2, "", "segmenter")]


@pytest.mark.parametrize("name", ["user_words.txt", "dictionary.txt"])
def test_a_saved_file_is_missing(tmp_path, name):
    pytest.importorskip("jieba")
    dictionary = write(tmp_path / "dict.txt", "肾盂 9 n\n")
    source = SegmenterWords(segmenter="jieba", model=str(dictionary))
    source.initialize()
    source.to_disk(tmp_path / "words")
    (tmp_path / "words" / name).unlink()
    with pytest.raises(ValueError, match=f"have no file {name}, but .*, which is no jieba model; save"):
        source.from_disk(tmp_path / "words")
    assert source.files()[name] is not None
    with pytest.raises(ValueError, match=r"have no file features\.msgpack"):
        SegmenterWords().load_files({"user_words.txt": b"", "lexicon.tsv": b""})
