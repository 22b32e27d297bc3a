import json

import pytest
import spacy
import srsly

from spacy_medflat.lattice.lexicon_words import LexiconWords
from spacy_medflat.lattice.rules import WordRules
from spacy_medflat.lattice.saved import describe, restore
from spacy_medflat.lattice.segmenter import SegmenterWords
from spacy_medflat.lattice.union_words import UnionWords

from .helpers import LEXICON, add_lattice, spans

TEXT = "右肺上叶腺癌伴T细胞"


class Ward(LexiconWords):
    """A class of the user's own, with the settings of ours."""


class Fixed:
    """A class of the user's own, without settings that we know."""

    name = "fixed"

    def __init__(self, words=()):
        self.words = LexiconWords()
        self.words.add_words(words)

    def initialize(self):
        pass

    def find(self, texts):
        return self.words.find(texts)

    def to_bytes(self):
        return self.words.to_bytes()

    def from_bytes(self, data):
        self.words = LexiconWords().from_bytes(data)

    def to_disk(self, path):
        self.words.to_disk(path)

    def from_disk(self, path):
        self.words = LexiconWords().from_disk(path)


def pipeline(source=None):
    nlp = spacy.blank("zh")
    lattice = add_lattice(nlp)
    if source is not None:
        lattice.words = source
    return nlp


def again(nlp, tmp_path, config=None):
    """The pipeline from disk and from bytes, both made by its own config or by another one."""
    nlp.to_disk(tmp_path / "nlp")
    if config is not None:
        nlp.config["components"]["lattice"]["words"] = config
    return [spacy.load(tmp_path / "nlp"), spacy.blank("zh").from_config(nlp.config).from_bytes(nlp.to_bytes())]


def test_a_replaced_source_is_saved(tmp_path):
    lexicon = LexiconWords(WordRules(1, 3, chinese_only=False), nested=False, name="ward")
    lexicon.add_words({"右肺": "bod", "右": "", "T细胞": ""})
    nlp = pipeline(lexicon)
    expected = [("右肺", 0, 2), ("T细胞", 7, 10)]
    assert spans(nlp(TEXT)) == expected
    for loaded in again(nlp, tmp_path):
        doc = loaded(TEXT)
        assert spans(doc) == expected and doc.spans["lattice"][0].id_ == "ward"
        assert loaded.get_pipe("lattice").words.settings() == lexicon.settings()


def test_one_source_becomes_several(tmp_path):
    ward = LexiconWords()
    ward.add_words(["腺癌"])
    union = UnionWords({"lexicon": LexiconWords(), "more": UnionWords({"ward": ward})})
    union.add_words(["右肺"])
    for loaded in again(pipeline(union), tmp_path):
        assert spans(loaded(TEXT)) == [("右肺", 0, 2), ("腺癌", 4, 6)]
        loaded.get_pipe("lattice").words = LexiconWords()
        loaded.get_pipe("lattice").add_words(["上叶"])
        assert [spans(one(TEXT)) for one in again(loaded, tmp_path)] == [[("上叶", 2, 4)]] * 2


def test_a_segmenter_in_place_of_a_lexicon(tmp_path):
    pytest.importorskip("jieba")
    source = SegmenterWords(WordRules(1, 9), segmenter="jieba")
    source.initialize()
    nlp = pipeline(source)
    assert spans(nlp(TEXT))
    for loaded in again(nlp, tmp_path):
        assert spans(loaded(TEXT)) == spans(nlp(TEXT))


def test_a_class_of_the_user_is_the_configs_or_an_error(tmp_path):
    for source in (Ward(), Fixed(["右肺"])):
        nlp = pipeline(source)
        with pytest.raises(ValueError, match=r"lattice: the words were saved by a source of the class .*(Ward|Fixed)"):
            again(nlp, tmp_path)
        nlp.get_pipe("lattice").to_disk(tmp_path / "pipe")
        other = pipeline(type(source)()).get_pipe("lattice").from_disk(tmp_path / "pipe")
        assert type(other.words) is type(source)
        assert spans(other(nlp.make_doc(TEXT))) == spans(nlp(TEXT))


def test_a_class_of_the_user_among_others():
    union = UnionWords({"ours": LexiconWords(), "own": Fixed(["右肺"])})
    assert type(restore(describe(union), union).sources["own"]) is Fixed
    with pytest.raises(ValueError, match="but the config makes no source in its place"):
        restore(describe(union), LexiconWords())


@pytest.mark.parametrize(
    "change", [{"class": 3}, {"settings": {"x": 1}}, {"settings": None}, {"settings": {"rules": 1}}]
)
def test_a_damaged_description(change):
    with pytest.raises(ValueError, match=r"is damaged|class 3"):
        restore({**describe(LexiconWords()), **change}, LexiconWords())


def test_a_component_that_cannot_be_loaded_is_as_it_was(tmp_path):
    lattice = pipeline().get_pipe("lattice")
    lattice.cfg["spans_key"] = "other"
    lattice.to_disk(tmp_path / "pipe")
    (tmp_path / "pipe" / "words" / "lexicon.tsv").unlink()
    other = pipeline().get_pipe("lattice")
    other.add_words(["右肺"])
    words = other.words
    with pytest.raises(ValueError, match=r"no file lexicon\.tsv"):
        other.from_disk(tmp_path / "pipe")
    assert other.key == "lattice" and other.words is words and "右肺" in words.lexicon
    with pytest.raises(ValueError, match="damaged"):
        other.from_bytes(
            spacy.util.to_bytes({"cfg": lambda: b"{}", "words": lambda: srsly.msgpack_dumps([{}, b""])}, [])
        )
    assert other.words is words


def test_words_that_were_saved_without_a_description(tmp_path):
    lattice = pipeline().get_pipe("lattice")
    lattice.add_words(["右肺"])
    lattice.to_disk(tmp_path)
    assert json.loads((tmp_path / "words.json").read_text(encoding="utf8"))["settings"]["rules"]["max_length"] == 8
    (tmp_path / "words.json").unlink()
    other = add_lattice(spacy.blank("zh"), words={**LEXICON, "max_length": 3})
    other.from_disk(tmp_path)
    assert "右肺" in other.words.lexicon and other.words.rules.max_length == 3
