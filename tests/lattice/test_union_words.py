import pickle
import shutil

import pytest
import spacy

from spacy_medflat.lattice.lexicon_words import LexiconWords
from spacy_medflat.lattice.segmenter import SegmenterWords
from spacy_medflat.lattice.union_words import UnionWords

from .helpers import LEXICON, rows


@pytest.fixture
def source():
    config = {"@misc": "spacy_medflat.UnionWords.v1", "sources": {"ours": LEXICON, "theirs": LEXICON}}
    source = spacy.registry.resolve({"words": config})["words"]
    source.sources["ours"].add_words({"右肺": "bod", "腺癌": "dis"})
    source.sources["theirs"].add_words({"腺癌": "sym", "上叶": ""})
    return source


def test_types_and_names_of_all(source):
    source.initialize()
    assert rows(source.find(["右肺上叶腺癌"])) == [
        (0, 0, 2, "bod", "ours"),
        (0, 2, 4, "", "theirs"),
        (0, 4, 6, "dis|sym", "ours+theirs"),
    ]


def test_adding_and_removing(source):
    source.add_words({"咳嗽": "sym"})
    assert "咳嗽" in source.sources["ours"].lexicon and "咳嗽" not in source.sources["theirs"].lexicon
    assert source.remove_words(["腺癌"]) == 2
    assert [row[1:3] for row in rows(source.find(["右肺上叶腺癌咳嗽"]))] == [(0, 2), (2, 4), (6, 8)]


def test_saving(source, tmp_path):
    expected = rows(source.find(["右肺上叶腺癌"]))
    source.to_disk(tmp_path)
    for empty in (lambda: UnionWords({"ours": LexiconWords(), "theirs": LexiconWords()}),):
        assert rows(empty().from_disk(tmp_path).find(["右肺上叶腺癌"])) == expected
        assert rows(empty().from_bytes(source.to_bytes()).find(["右肺上叶腺癌"])) == expected
    assert rows(pickle.loads(pickle.dumps(source)).find(["右肺上叶腺癌"])) == expected
    with pytest.raises(ValueError, match="of the sources ours, theirs, but the config has x"):
        UnionWords({"x": LexiconWords()}).from_bytes(source.to_bytes())
    with pytest.raises(ValueError, match="of the sources ours, theirs, but the config has ours"):
        UnionWords({"ours": LexiconWords()}).from_disk(tmp_path)
    with pytest.raises(ValueError, match="none: the words of the source 'union' are not there"):
        UnionWords({"ours": LexiconWords()}).from_disk(tmp_path / "none")


def test_nothing_is_left_of_another_source_that_was_saved_there(source, tmp_path):
    source.to_disk(tmp_path / "words")
    UnionWords({"ward": LexiconWords()}).to_disk(tmp_path / "words")
    assert [path.name for path in (tmp_path / "words").iterdir()] == ["ward"]
    LexiconWords().to_disk(tmp_path / "words")
    assert [path.name for path in (tmp_path / "words").iterdir()] == ["lexicon.tsv"]


def test_a_source_that_cannot_be_read_changes_none(source, tmp_path):
    source.to_disk(tmp_path / "words")
    other = UnionWords({"ours": LexiconWords(), "theirs": LexiconWords()})
    other.add_words(["肾盂"])
    (tmp_path / "words" / "theirs" / "lexicon.tsv").unlink()
    with pytest.raises(ValueError, match=r"source 'theirs' have no file lexicon\.tsv, but none; save"):
        other.from_disk(tmp_path / "words")
    assert list(other.sources["ours"].lexicon) == ["肾盂"]
    shutil.rmtree(tmp_path / "words" / "theirs")
    with pytest.raises(ValueError, match="of the sources ours, but the config has ours, theirs"):
        other.from_disk(tmp_path / "words")


def test_bad_settings():
    with pytest.raises(ValueError, match="at least one source"):
        UnionWords({})
    with pytest.raises(ValueError, match=r"'x' of spacy_medflat\.UnionWords\.v1 is no word source: 3"):
        UnionWords({"x": 3})
    with pytest.raises(ValueError, match="but it is 'a\\+b'"):
        UnionWords({"a+b": LexiconWords()})
    with pytest.raises(ValueError, match="none of the sources seg is a lexicon"):
        UnionWords({"seg": SegmenterWords()}).add_words(["肺癌"])
