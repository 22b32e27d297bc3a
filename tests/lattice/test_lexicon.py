import gzip

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spacy_medflat.errors import LexiconError, MedflatError
from spacy_medflat.lattice.lexicon import Entry, Lexicon, format_lexicon, parse_lexicon, read_lexicon, write_lexicon
from spacy_medflat.lattice.rules import WordRules

from ..corpus.helpers import write
from ..corpus.strategies import ANY_CHARACTER


def test_words_with_types_and_frequencies():
    lexicon = Lexicon({"肺癌": "dis", "咳嗽": "sym"})
    lexicon.add("右肺")
    lexicon.add("咳嗽", "dis", 7)
    lexicon.add("咳嗽", frequency=3)
    assert list(lexicon) == ["肺癌", "咳嗽", "右肺"] and len(lexicon) == 3
    assert lexicon.types("咳嗽") == "dis|sym" and lexicon.frequency("咳嗽") == 7
    assert "右肺" in lexicon and "左肺" not in lexicon and lexicon.frequency("左肺") is None
    assert list(lexicon.entries())[2] == Entry("右肺", "", None)
    assert lexicon.type_counts() == {"dis": 2, "sym": 1, "": 1}


def test_removing_and_the_revision():
    lexicon = Lexicon(["肺癌", "右肺"])
    before = lexicon.revision
    assert lexicon.remove(["肺癌", "不在"]) == 1
    assert list(lexicon) == ["右肺"] and lexicon.revision > before
    lexicon.add("肺癌")
    assert lexicon.frequency("肺癌") is None


def test_merge():
    one, two = Lexicon({"肺癌": "dis"}), Lexicon({"肺癌": "sym", "右肺": ""})
    two.add("肺癌", frequency=4)
    one.merge(two)
    assert list(one.entries()) == [("肺癌", "dis|sym", 4), ("右肺", "", None)]
    again = Lexicon()
    again.merge(one)
    again.merge(one)
    assert again == one and again != two and one != {"肺癌"}


def test_filter():
    lexicon = Lexicon({"肺": "bod", "肺癌": "dis", "CT": "equ", "咳嗽": "sym|dis", "结石": ""})
    lexicon.add("肺癌", frequency=2)
    assert list(lexicon.filter(WordRules())) == ["肺癌", "咳嗽", "结石"]
    assert list(lexicon.filter(min_frequency=3, drop=["CT"])) == ["肺", "咳嗽", "结石"]
    assert list(lexicon.filter(types=["dis"]).entries()) == [("肺癌", "dis", 2), ("咳嗽", "dis|sym", None)]
    assert len(lexicon) == 5


@pytest.mark.parametrize("word", ["", " 肺", "肺\t癌", "肺\n癌", "肺\u2028癌", None])
def test_not_a_word(word):
    with pytest.raises(LexiconError, match="not a word"):
        Lexicon().add(word)


def test_not_a_type_or_frequency():
    with pytest.raises(LexiconError, match="not a type: 'a\\\\tb'"):
        Lexicon({"肺癌": "a\tb"})
    with pytest.raises(LexiconError, match="must not be below 0, but it is -1"):
        Lexicon().add("肺癌", frequency=-1)


def test_a_single_string_is_not_taken_apart():
    with pytest.raises(TypeError, match="put it in a list"):
        Lexicon("肺癌")
    with pytest.raises(TypeError, match="put it in a list"):
        Lexicon().remove("肺癌")


@pytest.mark.parametrize(
    ("content", "entries"),
    [
        ("肺癌\n右肺\n", [("肺癌", "", None), ("右肺", "", None)]),
        ("\ufeff肺癌\r\n\r\n 右肺 \r\n", [("肺癌", "", None), ("右肺", "", None)]),
        ("肺癌\t12\n右肺\t-\n", [("肺癌", "", 12), ("右肺", "", None)]),
        ("肺癌\tdis\n右肺\t-\n", [("肺癌", "dis", None), ("右肺", "", None)]),
        ("肺癌\t-\n右肺\t3\n", [("肺癌", "", None), ("右肺", "", 3)]),
        ("肺癌\t12\tdis\n右肺\t3\t\n", [("肺癌", "dis", 12), ("右肺", "", 3)]),
        ("肺癌\tdis|sym\t12\n", [("肺癌", "dis|sym", 12)]),
        ("肺癌\t-\t-\n", [("肺癌", "", None)]),
        ("frequency\tword\n3\t右肺\n", [("右肺", "", 3)]),
        ("\ntype\tword\n7\t右肺\n", [("右肺", "7", None)]),
        ("word\n肺癌\n", [("word", "", None), ("肺癌", "", None)]),
        ("肺癌\tdis\n肺癌\tsym\n", [("肺癌", "dis|sym", None)]),
    ],
)
def test_forms(content, entries, tmp_path):
    assert list(read_lexicon(write(tmp_path / "words.tsv", content)).entries()) == entries


def test_columns_by_name(tmp_path):
    path = write(tmp_path / "words.tsv", "3\t肺癌\n")
    assert list(read_lexicon(path, ["type", "word"]).entries()) == [("肺癌", "3", None)]
    for columns in (["type"], ["word", "word"], ["word", "sense"]):
        with pytest.raises(LexiconError, match=f"but they are {', '.join(columns)}"):
            read_lexicon(path, columns)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("肺癌\tdis\n\n右肺\n", r"words.tsv line 3: 1 columns where 2 are expected \(word, type\): '右肺'"),
        ("肺癌\n右肺\tbod\n", "words.tsv line 2: 2 columns where 1 are expected"),
        ("肺癌\t3\n右肺\tbod\n", "words.tsv line 2: the frequency must be a whole number, but it is 'bod'"),
        ("肺癌\t3\n右肺\t-3\n", "it is '-3'"),
        ("word\tfrequency\n肺癌\t1.5\n", "words.tsv line 2: .* it is '1.5'"),
        ("肺癌\t3\n\t4\n", "words.tsv line 2: not a word: ''"),
        ("肺癌\n肺\x00癌\n", "words.tsv line 2: not a word"),
        ("肺癌\ta\tb\n", "but they are word, type, type"),
        ("", "words.tsv: no words in this lexicon"),
        ("\n \n", "no words in this lexicon"),
        ("word\ttype\n", "no words in this lexicon"),
        (b"\xe8\x82\xba\n\xff\n", r"words.tsv line 2: not UTF-8 \(byte 0xff\)"),
        (b"\x1f\x8bnothing", "damaged gzip file"),
    ],
)
def test_bad_files(content, message, tmp_path):
    with pytest.raises(MedflatError, match=message):
        read_lexicon(write(tmp_path / "words.tsv", content))


def test_no_file(tmp_path):
    with pytest.raises(LexiconError, match=r"none\.tsv: no such file"):
        read_lexicon(tmp_path / "none.tsv")


words = st.text(ANY_CHARACTER, min_size=1, max_size=6).filter(lambda w: _is_word(w))
entries = st.lists(st.tuples(words, st.sampled_from(["", "dis", "bod|sym"]), st.none() | st.integers(0, 10**9)))


def _is_word(word):
    try:
        Lexicon([word])
    except LexiconError:
        return False
    # A byte order mark at the start of a file is not a part of it.
    return True


@given(entries.filter(bool))
def test_round_trip_of_any_words(rows):
    lexicon = Lexicon()
    for word, types, frequency in rows:
        lexicon.add(word, types, frequency)
    text = format_lexicon(lexicon)
    again = parse_lexicon(text, "x")
    assert again == lexicon and format_lexicon(again) == text


@pytest.mark.parametrize("name", ["words.tsv", "words.tsv.gz"])
def test_written_and_read(name, tmp_path):
    lexicon = Lexicon({"肺癌": "dis", "右肺": ""})
    write_lexicon(lexicon, tmp_path / name)
    data = (tmp_path / name).read_bytes()
    assert read_lexicon(tmp_path / name) == lexicon
    text = (gzip.decompress(data) if name.endswith(".gz") else data).decode()
    assert text == "word\ttype\tfrequency\n右肺\t-\t-\n肺癌\tdis\t-\n"
    write_lexicon(lexicon, tmp_path / name)
    assert (tmp_path / name).read_bytes() == data
