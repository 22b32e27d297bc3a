import asyncio

import pytest

from spacy_medflat.errors import MedflatError
from spacy_medflat.serve.answers import ServeError
from spacy_medflat.serve.lexicon_file import LexiconFile
from spacy_medflat.serve.word_list import WordList

from .fakes import DESCRIPTION


class Told:
    def __init__(self):
        self.words = []

    async def __call__(self, words):
        self.words.append(dict(words))


def make(told=None, description=DESCRIPTION, **settings):
    return WordList(description, told or Told(), **settings)


def add(words, *pairs):
    return asyncio.run(words.add(pairs))


def names(found):
    return [row["word"] for row in found[0]]


def test_words_are_found_by_any_part_those_of_users_first():
    words = make()
    add(words, ("止咳糖浆", "dru"), ("咳", "none"))
    found, total = words.search("咳", 0, 10)
    assert [(row["word"], row["type"], row["user"]) for row in found] == [
        ("咳", "none", True),
        ("止咳糖浆", "dru", True),
        ("咳嗽", "sym", False),
    ]
    assert total == 3 and len(words) == 5
    assert names(words.search("咳", 1, 1)) == ["止咳糖浆"] and names(words.search("咳", 2, 5)) == ["咳嗽"]
    assert names(words.search("ct", 0, 5)) == ["CT"] and words.search("无", 0, 5) == ([], 0)
    assert len(words.search("", 0, 50)[0]) == 5 and words.search("", 50, 50) == ([], 5)


def test_a_change_is_told_counted_and_kept(tmp_path):
    told, file = Told(), LexiconFile(tmp_path / "folder" / "words.tsv")
    words = make(told, file=file)
    file.check()
    assert not file.path.exists()
    assert add(words, ("甲", "dru"), ("乙", "")) == 2 and words.revision == 1
    # The type that was said last counts, and what changes nothing is no change.
    assert add(words, ("甲", "sym")) == 1 and add(words, ("乙", "")) == 0 and words.revision == 2
    assert told.words[-1] == {"甲": "sym", "乙": ""} == make(file=file).user
    assert asyncio.run(words.remove(["甲", "咳嗽"])) == 1
    assert told.words[-1] == {"乙": ""} and make(file=file).user == {"乙": ""}
    assert asyncio.run(words.remove(["乙"])) == 1 and make(file=file).user == {}


def test_the_file_takes_the_place_of_the_words_that_the_pipeline_was_saved_with(tmp_path):
    saved = DESCRIPTION._replace(user_words={"丙": "dru"})
    file = LexiconFile(tmp_path / "words.tsv")
    words = make(description=saved, file=file)
    assert words.user == {"丙": "dru"}
    asyncio.run(words.remove(["丙"]))
    assert make(description=saved, file=file).user == {}


@pytest.mark.parametrize(
    ("word", "kind", "message"),
    [
        ("词" * 1000, "dru", "1,000 characters; a word has at most 64"),
        ("", "dru", "not a word"),
        (" 甲", "dru", "not a word"),
        ("a\tb", "dru", "control or invisible"),
        ("a\u202eb", "dru", "control or invisible"),
        ("\ud800", "dru", "control or invisible"),
        ("甲", "xyz", "'xyz' of '甲' is none of sym, dru, none"),
        ("甲", "sym|dru", "is none of"),
    ],
)
def test_what_is_no_word_changes_nothing(word, kind, message):
    told = Told()
    words = make(told)
    with pytest.raises(ServeError, match=message) as error:
        add(words, ("乙", "dru"), (word, kind))
    assert error.value.status == 422 and not told.words and not words.user


def test_markup_is_a_word_like_others(tmp_path):
    file = LexiconFile(tmp_path / "words.tsv")
    words = make(file=file)
    odd = ["<script>alert(1)</script>", "word", "-", "#", '"a,b"', "'; --", "&amp;"]
    assert add(words, *((word, "dru") for word in odd)) == len(odd)
    assert set(make(file=file).user) == set(odd)


def test_locked_lists_and_those_without_a_lattice_stay_as_they_are():
    for words, reason in (
        (make(locked=True), "--read-only"),
        (make(description=DESCRIPTION._replace(has_lattice=False)), "no 'medflat_lattice'"),
    ):
        assert not words.editable
        for change in (words.add([("甲", "")]), words.remove(["甲"])):
            with pytest.raises(ServeError, match=reason) as error:
                asyncio.run(change)
            assert error.value.status == 409


def test_there_is_a_limit():
    words = make(most=2)
    add(words, ("甲", ""), ("乙", ""))
    with pytest.raises(ServeError) as error:
        add(words, ("丙", ""))
    assert error.value.status == 413 and add(words, ("甲", "dru")) == 1


def test_a_full_disk_leaves_file_and_words_as_they_were(tmp_path, monkeypatch):
    told, file = Told(), LexiconFile(tmp_path / "words.tsv")
    words = make(told, file=file)
    add(words, ("甲", ""))

    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("spacy_medflat.serve.lexicon_file.write_text", full)
    with pytest.raises(ServeError, match="No space left on device; nothing is changed") as error:
        add(words, ("乙", ""))
    assert (error.value.status, error.value.code) == (507, "disk_full")
    assert words.user == {"甲": ""} == make(file=file).user and len(told.words) == 1 == words.revision


def test_a_file_that_is_no_lexicon_is_an_error_at_the_start(tmp_path):
    (tmp_path / "words.tsv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(MedflatError, match="not UTF-8"):
        make(file=LexiconFile(tmp_path / "words.tsv"))
    with pytest.raises(MedflatError, match="words cannot be kept there"):
        (tmp_path / "file").write_text("")
        LexiconFile(tmp_path / "file" / "words.tsv").check()
