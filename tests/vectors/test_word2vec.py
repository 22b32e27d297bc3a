import io
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spacy_medflat.errors import MedflatError
from spacy_medflat.vectors.word2vec import Header, iter_rows, parse, read_header

from .files import ROWS, binary, text

NAN, INF = float("nan"), float("inf")


def read(data, stored_binary=None):
    file = io.BufferedReader(io.BytesIO(data))
    header = read_header(file, "v", stored_binary)
    return header, [
        (row.number, row.word.decode(), parse(row, header, "v").tolist()) for row in iter_rows(file, header, "v")
    ]


def expected(first, rows=ROWS):
    return [(i, word, np.float32(vector).tolist()) for i, (word, vector) in enumerate(rows, first)]


@pytest.mark.parametrize("stored_binary", [None, False])
def test_text(stored_binary):
    assert read(text(ROWS), stored_binary) == (Header(4, 3, False), expected(2))


@pytest.mark.parametrize("stored_binary", [None, True])
@pytest.mark.parametrize("end", [b"\n", b""])
def test_binary(stored_binary, end):
    assert read(binary(ROWS, end=end), stored_binary) == (Header(4, 3, True), expected(1))


def test_a_byte_order_mark():
    assert read(b"\xef\xbb\xbf" + text(ROWS)) == (Header(4, 3, False), expected(2))


def test_text_without_a_header():
    assert read(text(ROWS, header=None)) == (Header(None, 3, False), expected(1))


def test_more_rows_than_the_header_says():
    assert read(text(ROWS, header="2 3")) == (Header(2, 3, False), expected(2))
    assert read(binary(ROWS, header="2 3")) == (Header(2, 3, True), expected(1))


@pytest.mark.parametrize(
    "line",
    ["肺癌 1 2 3 \r\n", "肺癌\t1\t2\t3\n", "肺癌  1 2  3\n", "肺癌 1e0 +2 3.\n", "肺癌 1 2 3", "\n肺癌 1 2 3\n\n"],
)
def test_white_space_that_text_files_have(line):
    _, rows = read(b"1 3\n" + line.encode())
    assert [row[1:] for row in rows] == [("肺癌", [1.0, 2.0, 3.0])]


def test_words_with_spaces_and_without_anything():
    _, rows = read("5 2\n1 2 3 4\na b 3 4\n 3 4\n肺 癌 3 4\n\u3000 3 4\n".encode())
    assert [row[1] for row in rows] == ["1 2", "a b", "", "肺 癌", "\u3000"]
    assert all(vector == [3.0, 4.0] for _, _, vector in rows)


@given(
    st.lists(
        st.tuples(
            st.text(st.characters(codec="utf-8", exclude_characters=" \n\0"), min_size=1, max_size=9),
            st.lists(st.floats(width=32, allow_nan=False, allow_infinity=False), min_size=5, max_size=5),
        ),
        min_size=1,
    )
)
def test_any_binary_word(rows):
    header, found = read(binary(rows), True)
    assert (header.rows, found) == (len(rows), expected(1, rows))


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "v: the file is empty"),
        (b"\n\n", "v: the file is empty"),
        (b"0 3\n", "v line 1: the header '0 3' promises no vectors"),
        (b"3 0\nabc", "v line 1: the header '3 0' promises no vectors"),
        (b"9" * 5000 + b" 3\n", "v line 1: .* is neither the header"),
        ("肺癌 术后\n".encode(), "v line 1: '肺癌 术后' is neither the header of a word2vec file"),
        (b"\xff\xfe\x00\x01\n", "v line 1: .* is neither the header"),
        (text(ROWS, header="5 3"), "the header says 5 rows, the file ends after 4; it was cut short"),
        (text(ROWS, header="4 4"), "v line 2: '的' has 3 numbers, the header says 4"),
        (text(ROWS, header="4 2"), "v line 2: '的' has 3 numbers, the header says 2"),
        (b"2 2\nab 1 2\nabc 1\n", "v line 3: 'abc' has 1 numbers, the header says 2"),
        ("肺癌 1 2\n肺 1\n".encode(), "v line 2: '肺' has 1 numbers, the first row has 2"),
        ("1 2\n肺 1 x\n".encode(), "v line 2: 'x' is not a number"),
        ("1 2\n肺 1 1_0\n".encode(), "v line 2: '1_0' is not a number"),
        ("1 2\n肺 1 2,5\n".encode(), "v line 2: '2,5' is not a number"),
        (text([("肺", [1, NAN])]), "v line 2: number 2 of '肺' is nan"),
        (text([("肺", [-INF, 1])]), "v line 2: number 1 of '肺' is -inf"),
        ("1 2\n肺 1 1e99\n".encode(), "v line 2: number 2 of '肺' is inf"),
        (binary([("肺", [1.0, 0.3, NAN])]), "v row 1: number 3 of '肺' is nan"),
        (binary(ROWS)[:-6], "v row 4: the file ends inside this row of 3 numbers"),
        (binary(ROWS, header="5 3"), "the header says 5 rows, the file ends after 4"),
        (binary(ROWS * 9, header="36 4"), "v row .*(is no word|ends inside)"),
        (binary([("肺", [0.1, 0.5] * 4)] * 5000, header="5000 2"), "v row 2: .* is no word"),
        (b"3 3\na " + struct.pack("<3f", 0.1, 0.2, 0.3) + b"x" * 40_000, "v row 2: .* is no word"),
    ],
)
def test_bad_files(data, message):
    with pytest.raises(MedflatError, match=message):
        read(data)
