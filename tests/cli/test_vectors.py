import pytest
import spacy

from spacy_medflat.cli.vectors import convert, inspect, train

from ..vectors.files import ROWS, pack, text
from .apps import run


@pytest.fixture
def lexicon(tmp_path):
    (tmp_path / "lexicon.tsv").write_text("右肺上叶\tbod\n腺癌\tdis\n右叶\t-\n肾\t-\n", encoding="utf-8")
    return tmp_path / "lexicon.tsv"


@pytest.fixture
def notes(tmp_path):
    (tmp_path / "notes.txt").write_text("右肺上叶腺癌术后\n右肺下叶腺癌\n" * 9, encoding="utf-8")
    return tmp_path / "notes.txt"


def test_convert(tmp_path):
    source = pack(tmp_path / "v.gz", text([*ROWS, ROWS[0], ("the end", [1, 1, 1])], "5 3"))
    result = run(convert, source, tmp_path / "new" / "out")
    assert result.exit_code == 0
    assert result.stdout.splitlines()[1:] == [
        "6 rows of 3 numbers read, 3 words kept, 1 of them single characters",
        "left out: 1 not Chinese",
        "left out: 1 repeated",
        "left out: 1 empty or with a space inside",
        "the header of the file says 5 rows, but there are more",
    ]
    assert spacy.load(tmp_path / "new" / "out").vocab["肺癌"].vector.tolist() == [1, 2, 3]


def test_convert_options(tmp_path, lexicon):
    source = pack(tmp_path / "v", text(ROWS))
    for i, (options, kept) in enumerate([
        (["--any-script"], 4), (["--any-script", "--max-length", 3], 3), (["--min-length", 3], 2), (["--count", 2], 2),
        (["--words", lexicon], 2), (["--format", "text"], 3),
    ]):  # fmt: skip
        result = run(convert, source, tmp_path / str(i), *options)
        assert f" {kept} words kept" in result.stdout, options
    result = run(convert, source, tmp_path / "binary", "--format", "binary")
    assert result.exit_code == 1 and "Error: v row" in result.stderr
    result = run(convert, source, tmp_path / "x", "--min-length", 9)
    assert result.exit_code == 1 and "min_length is 9 and max_length is 8" in result.stderr


@pytest.mark.parametrize("data", [b"", b"a b\n", text(ROWS, "9 3"), text(ROWS, "4 2")])
def test_convert_ends_with_one_line_on_bad_input(tmp_path, data):
    result = run(convert, pack(tmp_path / "v.txt", data), tmp_path / "out")
    assert result.exit_code == 1
    assert result.stderr.startswith("Error: v.txt") and result.stderr.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_convert_a_missing_file(tmp_path):
    result = run(convert, tmp_path / "none", tmp_path / "out")
    assert result.exit_code == 1
    assert "No such file" in result.stderr


def test_train_and_inspect(tmp_path, notes, lexicon):
    words = tmp_path / "v.txt"
    result = run(
        train, notes, notes, tmp_path / "out", "--lexicon", lexicon, "--dimension", 8, "--min-count", 2,
        "--epochs", 1, "--workers", 1, "--word2vec", words,
    )  # fmt: skip
    assert result.exit_code == 0
    coverage = [
        "words of the lexicon: 2 of 4 have a vector (50.0 %), 1 more can be composed from characters (25.0 %)",
        "different words in the texts: 2 of 2 have a vector (100.0 %), 0 more can be composed from characters (0.0 %)",
        "words in the texts: 54 of 54 have a vector (100.0 %), 0 more can be composed from characters (0.0 %)",
    ]
    size = "8 vectors of 8 numbers"
    assert result.stdout.splitlines()[0].startswith("36 texts, 162 tokens → ")
    assert result.stdout.splitlines()[1:] == [size, *coverage]
    assert words.read_text(encoding="utf-8").startswith("8 8\n腺癌 ")

    result = run(inspect, tmp_path / "out", "--words", lexicon, "--data", notes, "--data", notes)
    assert result.stdout.splitlines()[1:] == [f"8 words, {size}", *coverage]
    assert run(inspect, tmp_path / "out").stdout.splitlines()[1:] == [f"8 words, {size}"]


def test_the_rules_of_the_lattice(tmp_path, notes, lexicon):
    options = ("--dimension", 4, "--min-count", 1, "--epochs", 1, "--min-length", 3)
    result = run(train, notes, tmp_path / "out", "--lexicon", lexicon, *options)
    assert "different words in the texts: 1 of 1 have" in result.stdout
    result = run(inspect, tmp_path / "out", "--words", lexicon, "--data", notes, "--max-length", 2)
    assert "words in the texts: 0 of 18 have a vector (0.0 %), 18 more can be composed" in result.stdout


def test_train_without_words(tmp_path, notes):
    result = run(train, notes, tmp_path / "out")
    assert result.exit_code == 1
    assert "give a lexicon, a pkuseg model, jieba, or several of them" in result.stderr


def test_words_of_jieba_and_of_the_user(tmp_path, notes, lexicon):
    pytest.importorskip("jieba")
    options = ("--jieba", "--user-dict", lexicon)
    result = run(train, notes, tmp_path / "out", *options, "--dimension", 4, "--min-count", 1, "--epochs", 1)
    assert result.exit_code == 0
    assert spacy.load(tmp_path / "out").vocab.has_vector("右肺上叶")
    result = run(inspect, tmp_path / "out", *options, "--data", notes, "--lexicon", lexicon)
    assert "words of the lexicon: 2 of 4 have a vector" in result.stdout
    assert "have a vector (100.0 %)" in result.stdout


def test_inspect_something_else(tmp_path):
    result = run(inspect, tmp_path)
    assert result.exit_code == 1
    assert "no file vocab/vectors" in result.stderr
