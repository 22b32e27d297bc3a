import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spacy_medflat.ner.spans import GoldSpans
from spacy_medflat.ner.tag_groups import make_tag_groups

from .chains import spans_in

LABELS = ["bod", "sym", "dis"]
TAGS = make_tag_groups([["sym"]], LABELS)
NAMES = ["O", "B-sym", "I-sym", "O", "B-bod", "I-bod", "B-dis", "I-dis"]


def gold(rows, n_docs=1):
    columns = np.array(rows, dtype=np.int64).reshape(-1, 4).T
    return GoldSpans(*columns, annotated=np.ones(n_docs, dtype=bool))


def test_tags_of_two_groups():
    assert (TAGS.n_groups, TAGS.n_tags) == (2, 8)
    assert TAGS.outside.tolist() == [0, 3]
    assert [NAMES[tag] for tag in TAGS.begin] == ["B-bod", "B-sym", "B-dis"]
    assert TAGS.group_of_tag.tolist() == [0, 0, 0, 1, 1, 1, 1, 1]


def test_only_moves_of_bio_are_allowed():
    for (i, a), (j, b) in itertools.product(enumerate(NAMES), repeat=2):
        same_group = (i < 3) == (j < 3)
        allowed = same_group and (not b.startswith("I") or a[1:] == b[1:])
        assert TAGS.moves[i, j] == allowed, (a, b)
    assert [name for name, start in zip(NAMES, TAGS.starts, strict=True) if not start] == ["I-sym", "I-bod", "I-dis"]


@pytest.mark.parametrize(
    ("groups", "expected"),
    [
        ([["sym"]], [1, 0, 1]),
        ([], [0, 0, 0]),
        ([["xyz"]], [0, 0, 0]),
        ([["dis"], ["bod"]], [1, 2, 0]),
        ([["sym", "dis", "bod"]], [0, 0, 0]),
        ([["xyz"], ["sym"], ["bod", "dis"]], [1, 0, 1]),
    ],
)
def test_groups_of_labels(groups, expected):
    assert make_tag_groups(groups, LABELS).group.tolist() == expected


def test_spans_as_tags():
    tags = TAGS.tag(gold([(0, 0, 3, 0), (0, 0, 4, 1), (2, 1, 2, 2), (2, 2, 3, 2)], 3), np.array([4, 0, 3]))
    assert [[NAMES[tag] for tag in row] for row in tags] == [
        ["B-sym", "B-bod"],
        ["I-sym", "I-bod"],
        ["I-sym", "I-bod"],
        ["I-sym", "O"],
        ["O", "O"],
        ["O", "B-dis"],
        ["O", "B-dis"],
    ]


def test_the_longest_of_overlapping_spans_is_kept():
    rows = [
        (0, 0, 4, 0), (0, 0, 6, 2), (0, 0, 7, 1), (0, 5, 8, 1),  # bod inside dis; sym crosses sym
        (1, 0, 4, 0), (1, 0, 4, 2), (1, 4, 6, 0),  # two labels on one span; neighbours
        (2, 0, 2, 0), (2, 1, 9, 2), (2, 8, 10, 0),  # both overlap the long one only
    ]  # fmt: skip
    lost = TAGS.overlapping(gold(rows, 3))
    assert [row for row, out in zip(rows, lost, strict=True) if out] == [
        (0, 0, 4, 0), (0, 5, 8, 1), (1, 0, 4, 2), (2, 0, 2, 0), (2, 8, 10, 0)
    ]  # fmt: skip


SPANS = st.lists(st.tuples(st.integers(0, 2), st.integers(0, 9), st.integers(1, 5), st.integers(0, 2)), max_size=12)


@given(SPANS)
def test_what_is_kept_can_be_read_off_the_tags_again(spans):
    rows = sorted({(doc, start, start + width, label) for doc, start, width, label in spans})
    everything = gold(rows, 3)
    kept = everything.take(~TAGS.overlapping(everything))
    lengths = np.array([15, 14, 16])
    tags = np.split(TAGS.tag(kept, lengths), np.cumsum(lengths)[:-1])
    read = {
        (doc, start, end, label)
        for doc, text in enumerate(tags)
        for label in range(3)
        for start, end in spans_in(text[:, TAGS.group[label]].tolist(), TAGS.begin[label])
    }
    assert read == set(zip(*(column.tolist() for column in kept[:4]), strict=True))
