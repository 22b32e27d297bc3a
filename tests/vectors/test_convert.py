import numpy as np
import pytest

from spacy_medflat.errors import MedflatError
from spacy_medflat.lattice.rules import WordRules
from spacy_medflat.vectors.convert import ConversionSummary, WordFilter, convert_vectors, is_character, load_vectors
from spacy_medflat.vectors.store import has_vector, read_vocab

from .files import ROWS, binary, pack, text

KEPT = ["的", "肺癌", "右肺上叶"]


@pytest.mark.parametrize("make", [text, binary])
@pytest.mark.parametrize("name", ["v", "v.gz", "v.bz2", "v.xz", "v.zip"])
def test_formats(tmp_path, make, name):
    positions = []
    table, summary = load_vectors(pack(tmp_path / name, make(ROWS)), keep=WordFilter(), progress=positions.append)
    assert table.words == KEPT
    np.testing.assert_array_equal(table.matrix, np.float32([ROWS[0][1], ROWS[1][1], ROWS[3][1]]))
    assert summary == ConversionSummary(3, 4, rows=4, kept=3, characters=1, skipped={"not Chinese": 1})
    assert positions and 0 < positions[0] <= (tmp_path / name).stat().st_size


@pytest.mark.parametrize("make", [text, binary])
def test_a_repeated_word_keeps_its_first_row(tmp_path, make):
    rows = [("肺", [1, 1]), ("肺癌", [2, 2]), ("肺", [3, 3]), ("肺癌", [4, 4]), ("肝癌", [5, 5])]
    table, summary = load_vectors(pack(tmp_path / "v", make(rows)), keep=WordFilter())
    assert dict(zip(table.words, table.matrix[:, 0].tolist(), strict=True)) == {"肺": 1, "肺癌": 2, "肝癌": 5}
    assert summary.skipped == {"repeated": 2}


def test_words_that_are_no_words_are_counted(tmp_path):
    data = b"6 2\n\xe8\x82 1 1\n\xff\xff 1 1\n" + "a b 1 1\n 1 1\n肺癌 1 1\n\u00a0 1 1\n".encode()
    table, summary = load_vectors(pack(tmp_path / "v", data), keep=WordFilter(WordRules(1, 8, False)))
    assert table.words == ["肺癌"]
    assert summary.skipped == {"not UTF-8": 2, "empty or with a space inside": 3}


@pytest.mark.parametrize(
    "data", [text(ROWS).decode().encode("gb18030"), binary([("肺", [0.1] * 8)] * 500, header="500 2")]
)
def test_most_words_garbled(tmp_path, data):
    with pytest.raises(MedflatError, match="words are not UTF-8; save the file as UTF-8, or, if it is binary"):
        load_vectors(pack(tmp_path / "v", data), keep=WordFilter(), count=100)


def test_numbers_of_words_left_out_are_not_looked_at(tmp_path):
    table, _ = load_vectors(pack(tmp_path / "v", "2 1\n肺 1\nabc x\n".encode()), keep=WordFilter())
    assert table.words == ["肺"]


def test_count_reads_the_first_rows_only(tmp_path):
    path = pack(tmp_path / "v", text(ROWS) + b"cut sho")
    assert load_vectors(path, keep=WordFilter(), count=2)[0].words == KEPT[:2]
    with pytest.raises(MedflatError, match="v line 6: 'cut' has 1 numbers"):
        load_vectors(path, keep=WordFilter())


def test_convert(tmp_path):
    summary = convert_vectors(pack(tmp_path / "v", text(ROWS)), tmp_path / "out", keep=WordFilter(words={"肺癌"}))
    assert (summary.kept, summary.skipped) == (2, {"not in the list of words": 2})
    known = has_vector(read_vocab(tmp_path / "out"))
    assert [word for word, _ in ROWS if known(word)] == ["的", "肺癌"]


def test_nothing_is_written_after_an_error(tmp_path):
    source = pack(tmp_path / "v", text(ROWS[2:3]))
    with pytest.raises(MedflatError, match=r"none of 1 words is kept \(1 not Chinese\); loosen"):
        convert_vectors(source, tmp_path / "out", keep=WordFilter())
    assert [path.name for path in tmp_path.iterdir()] == ["v"]


def test_force_replaces_vectors_and_nothing_else(tmp_path):
    source, target = pack(tmp_path / "v", text(ROWS)), tmp_path / "out"
    convert_vectors(source, target, keep=WordFilter())
    with pytest.raises(MedflatError, match="not empty"):
        convert_vectors(source, target, keep=WordFilter())
    convert_vectors(source, target, keep=WordFilter(words={"肺癌"}), force=True)
    assert not has_vector(read_vocab(target))("肺炎")
    other = tmp_path / "notes"
    other.mkdir()
    (other / "file").touch()
    with pytest.raises(MedflatError, match="holds no vectors"):
        convert_vectors(source, other, keep=WordFilter(), force=True)
    assert (other / "file").exists()


def test_a_target_in_the_way_is_found_first(tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "file").touch()
    with pytest.raises(MedflatError, match="not empty"):
        convert_vectors(tmp_path / "no such file", tmp_path / "out", keep=WordFilter())


@pytest.mark.parametrize(
    ("word", "reason"),
    [
        ("肺", None),
        ("肺癌", None),
        ("右肺上叶腺癌术后", None),
        ("右肺上叶腺癌手术后", "too long"),
        ("a", "too short"),
        ("CT", "not Chinese"),
        ("T细胞", "not Chinese"),
        ("", "empty or with a space inside"),
        ("肺 癌", "empty or with a space inside"),
        ("\u3000", "empty or with a space inside"),
    ],
)
def test_rules(word, reason):
    assert WordFilter().reason_against(word) == reason


def test_other_rules_keep_single_characters():
    keep = WordFilter(WordRules(3, 4, chinese_only=False))
    assert [word for word in ("肺", "肺癌", "T细胞", "右肺上叶腺") if not keep.reason_against(word)] == ["肺", "T细胞"]


def test_a_list_decides_alone():
    keep = WordFilter(words={"T细胞", "右肺上叶腺癌手术后"})
    assert not keep.reason_against("T细胞")
    assert not keep.reason_against("右肺上叶腺癌手术后")
    assert not keep.reason_against("肺")
    assert keep.reason_against("肺癌") == "not in the list of words"


def test_is_character():
    assert is_character("肺")
    assert not any(map(is_character, ["", "肺癌", "a", "，"]))
