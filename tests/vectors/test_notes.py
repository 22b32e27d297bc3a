import pytest
from hypothesis import given
from hypothesis import strategies as st

from spacy_medflat.corpus.formats.registry import write_records
from spacy_medflat.corpus.record import Record
from spacy_medflat.errors import MedflatError
from spacy_medflat.lattice.lexicon_words import LexiconWords
from spacy_medflat.vectors.notes import FoundWords, find_words, iter_texts, tokens_of

from .files import pack

TEXTS = ["右肺上叶\u2028腺癌", "术后"]


@pytest.mark.parametrize("name", ["a.txt", "a.txt.gz", "a.txt.xz"])
def test_lines(tmp_path, name):
    path = pack(tmp_path / name, "\ufeff右肺上叶\u2028腺癌\r\n\n \n术后".encode())
    assert list(iter_texts([path])) == TEXTS


@pytest.mark.parametrize(("name", "kind"), [("a.json", "cmeee"), ("a.jsonl", "jsonl"), ("a", "brat")])
def test_corpora(tmp_path, name, kind):
    path = tmp_path / name
    write_records([Record(text) for text in ["右肺上叶腺癌", "", "术后"]], path, kind)
    assert list(iter_texts([path, path])) == ["右肺上叶腺癌", "术后"] * 2


def test_half_a_surrogate_pair_costs_its_text_alone(tmp_path, caplog):
    (tmp_path / "a.json").write_text('[{"text": "\\ud83d"}, {"text": "右肺"}]', encoding="utf-8")
    assert list(iter_texts([tmp_path / "a.json"])) == ["右肺"]
    assert any("a.json record 1: surrogate" in message for message in caplog.messages)


def test_json_lines_with_a_text_field_only(tmp_path):
    (tmp_path / "a.jsonl").write_text('{"text": "术后", "ward": 3}\n', encoding="utf-8")
    assert list(iter_texts([tmp_path / "a.jsonl"])) == ["术后"]


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("a.txt", b"ok\n\xff\n", "a.txt line 2: not UTF-8"),
        ("a.json.gz", b"[]", "of compressed files only .txt"),
        ("a.doc", b"", "does not tell the format"),
    ],
)
def test_bad_files(tmp_path, name, data, message):
    with pytest.raises(MedflatError, match=message):
        list(iter_texts([pack(tmp_path / name, data)]))


def test_a_missing_file(tmp_path):
    with pytest.raises(MedflatError, match="no such file"):
        list(iter_texts([tmp_path / "none.txt"]))


def test_find_words():
    source = LexiconWords()
    source.add_words(["右肺", "右肺上叶", "肺上", "术后"])
    texts = ["右肺上叶腺癌", "无", "术后"] * 400
    expected = [FoundWords(texts[0], [(0, 4), (0, 2), (1, 3)]), FoundWords("无", []), FoundWords("术后", [(0, 2)])]
    assert list(find_words(texts, source)) == expected * 400
    assert list(find_words([], source)) == []
    assert expected[0].words == ["右肺上叶", "右肺", "肺上"]


TEXT = "右肺上叶腺癌 术后"


def test_longest_words_and_the_characters_between():
    assert tokens_of(TEXT, [(0, 2), (0, 4), (1, 2), (4, 6)]) == ["右肺上叶", "腺癌", "术", "后"]
    assert tokens_of(TEXT, []) == list("右肺上叶腺癌术后")


def test_of_crossing_words_the_first():
    assert tokens_of(TEXT, [(1, 4), (3, 6)]) == ["右", "肺上叶", "腺", "癌", "术", "后"]


def test_words_with_white_space_are_none():
    assert tokens_of(TEXT, [(4, 9), (5, 7)]) == list("右肺上叶腺癌术后")


def test_nothing():
    assert tokens_of("", []) == tokens_of(" \n", [(0, 1)]) == []


@given(st.text(max_size=30), st.lists(st.tuples(st.integers(0, 30), st.integers(1, 5))))
def test_tokens_are_the_text_without_white_space(text, words):
    places = [(start, start + length) for start, length in words if start + length <= len(text)]
    tokens = tokens_of(text, places)
    assert "".join(tokens) == "".join(char for char in text if not char.isspace())
    assert set(tokens) <= {text[start:end] for start, end in places} | set(text)
