import gzip

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spacy_medflat.corpus.record import CorpusError
from spacy_medflat.lattice.lexicon import Lexicon, LexiconError
from spacy_medflat.lattice.lexicon_file import format_lexicon, parse_lexicon, read_lexicon, write_lexicon

from ..corpus.helpers import write
from ..corpus.strategies import ANY_CHARACTER


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
    with pytest.raises(CorpusError, match=message):
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
