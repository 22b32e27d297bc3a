import logging
import pickle

import pytest
import spacy
from hypothesis import given
from hypothesis import strategies as st

from spacy_medflat.errors import LexiconError
from spacy_medflat.lattice.lexicon import Lexicon
from spacy_medflat.lattice.lexicon_words import LexiconWords, Matcher
from spacy_medflat.lattice.rules import WordRules
from spacy_medflat.lattice.source import WordSource

from ..corpus.helpers import write
from ..corpus.strategies import texts
from .helpers import LEXICON, rows

TEXTS = ["右肺上叶腺癌", "", "腺癌"]


@pytest.fixture
def source(tmp_path):
    path = write(
        tmp_path / "words.tsv", "右肺\tbod\n右肺上叶\tbod\n腺癌\tdis\n肺\tbod\nCT\tequ\n九个汉字的很长词啊\tdis\n"
    )
    source = spacy.registry.resolve({"words": {**LEXICON, "path": str(path)}})["words"]
    source.initialize()
    path.unlink()
    return source


def test_words(source):
    assert isinstance(source, WordSource)
    assert rows(source.find(TEXTS)) == [
        (0, 0, 4, "bod", "lexicon"),
        (0, 0, 2, "bod", "lexicon"),
        (0, 4, 6, "dis", "lexicon"),
        (2, 0, 2, "dis", "lexicon"),
    ]
    assert rows(source.find([])) == []


def test_longest_only():
    source = LexiconWords(nested=False)
    source.add_words(["右肺", "右肺上叶", "上叶腺癌", "腺癌"])
    assert [row[1:3] for row in rows(source.find(TEXTS))] == [(0, 4), (4, 6), (0, 2)]


def test_changes_are_seen_at_once(source):
    source.add_words({"上叶": "bod"})
    source.lexicon.add("腺癌", "sym")
    assert (0, 2, 4, "bod", "lexicon") in rows(source.find(TEXTS))
    assert source.remove_words(["右肺", "右肺上叶", "上叶"]) == 3
    assert rows(source.find(TEXTS)) == [(0, 4, 6, "dis|sym", "lexicon"), (2, 0, 2, "dis|sym", "lexicon")]
    source.lexicon = Lexicon(["右肺"])
    assert rows(source.find(TEXTS)) == [(0, 0, 2, "", "lexicon")]


def test_words_outside_the_rules_are_counted_and_warned_of(source, tmp_path, caplog):
    logger = logging.getLogger("spacy")
    logger.addHandler(caplog.handler)
    try:
        source.path = str(write(tmp_path / "w.txt", "肺\nCT\n右肺\n九个汉字的很长词啊\n"))
        with caplog.at_level(logging.INFO, logger="spacy"):
            source.initialize()
            source.add_words(["X线", "右肺"])
    finally:
        logger.removeHandler(caplog.handler)
    assert "6 words, 3 used, 1 not Chinese, 1 too long, 1 too short" in caplog.text
    assert "1 of 2 words are outside the rules" in caplog.text and "'X线'" in caplog.text


def test_an_empty_lexicon_is_an_error(tmp_path):
    with pytest.raises(LexiconError, match="'lexicon' is empty: set its path"):
        LexiconWords().initialize()
    with pytest.raises(LexiconError, match=r"w\.txt: no words"):
        LexiconWords(path=str(write(tmp_path / "w.txt", ""))).initialize()
    with pytest.raises(LexiconError, match="may use none of its 1 words, 1 too short: its rules are 2 to 8"):
        LexiconWords(path=str(write(tmp_path / "w.txt", "肺"))).initialize()
    with pytest.raises(LexiconError, match=r"none\.txt: no such file"):
        LexiconWords(path=str(tmp_path / "none.txt")).initialize()


def test_words_added_before_initialization_stay(tmp_path):
    source = LexiconWords(path=str(write(tmp_path / "w.txt", "右肺\n")))
    source.add_words({"腺癌": "dis"})
    source.initialize()
    source.initialize()
    assert list(source.lexicon) == ["右肺", "腺癌"]


def test_saving(source, tmp_path):
    expected = rows(source.find(TEXTS))
    source.to_disk(tmp_path / "words")
    assert (tmp_path / "words" / "lexicon.tsv").read_text(encoding="utf8").startswith("word\ttype\tfrequency\n")
    for again in (
        LexiconWords().from_disk(tmp_path / "words"),
        LexiconWords().from_bytes(source.to_bytes()),
        pickle.loads(pickle.dumps(source)),
    ):
        assert again.lexicon == source.lexicon and rows(again.find(TEXTS)) == expected
    LexiconWords(WordRules()).to_disk(tmp_path / "words")
    assert len(LexiconWords().from_disk(tmp_path / "words").lexicon) == 0
    with pytest.raises(ValueError, match="none: the words of the source 'lexicon' are not there"):
        LexiconWords().from_disk(tmp_path / "none")


def test_a_lexicon_without_words_is_a_file_all_the_same(source, tmp_path):
    LexiconWords().to_disk(tmp_path / "words")
    path = tmp_path / "words" / "lexicon.tsv"
    assert path.read_text(encoding="utf8") == "word\ttype\tfrequency\n"
    assert len(LexiconWords().from_disk(tmp_path / "words").lexicon) == 0
    for damage, message in ((lambda: path.write_bytes(b""), "no words in this lexicon"), (path.unlink, "have no file")):
        damage()
        before = list(source.lexicon)
        with pytest.raises(LexiconError, match=message):
            source.from_disk(tmp_path / "words")
        assert list(source.lexicon) == before


def test_a_save_that_fails_leaves_the_last_one(source, tmp_path, monkeypatch):
    source.to_disk(tmp_path / "words")
    saved = (tmp_path / "words" / "lexicon.tsv").read_bytes()
    monkeypatch.setattr(source, "files", lambda: {"lexicon.tsv": b"", "more": None})
    with pytest.raises(TypeError):
        source.to_disk(tmp_path / "words")
    assert [(path.name, path.read_bytes()) for path in (tmp_path / "words").iterdir()] == [("lexicon.tsv", saved)]
    assert [path.name for path in tmp_path.iterdir() if path.is_dir()] == ["words"]


ANY = WordRules(1, 8, chinese_only=False)
words = st.lists(st.text("肺癌ab 😀", min_size=1, max_size=3).filter(lambda w: w == w.strip()), max_size=8)
notes = st.lists(st.one_of(texts, st.text("肺癌ab 😀\n", max_size=12)), max_size=5)


@given(words, notes)
def test_all_words_in_any_text(words, notes):
    found = rows(Matcher(Lexicon(words), ANY, "x").find(notes))
    expected = [
        (i, start, end, "", "x")
        for i, text in enumerate(notes)
        for start in range(len(text))
        for end in range(len(text), start, -1)
        if text[start:end] in words
    ]
    assert found == expected


@given(words, notes)
def test_longest_words(words, notes):
    found = rows(Matcher(Lexicon(words), ANY, "x", nested=False).find(notes))
    expected = []
    for i, text in enumerate(notes):
        start = 0
        while start < len(text):
            end = next((e for e in range(len(text), start, -1) if text[start:e] in words), None)
            if end:
                expected.append((i, start, end, "", "x"))
            start = end or start + 1
    assert found == expected


def test_rules_and_types():
    matcher = Matcher(Lexicon({"肺": "bod", "右肺": "bod", "肺癌": "dis|sym", "CT": "equ"}), WordRules(), "x")
    assert matcher.n_words == 2
    assert rows(matcher.find(["右肺癌CT"])) == [(0, 0, 2, "bod", "x"), (0, 1, 3, "dis|sym", "x")]
