import pytest
from hypothesis import given
from hypothesis import strategies as st

from spacy_medflat.corpus.formats.tags import (
    SCHEMES,
    decode_tags,
    detect_scheme,
    encode_tags,
    flat_choice,
    parse_tag,
)
from spacy_medflat.corpus.record import Entity


def decode(tags, scheme):
    return [tuple(span) for span in decode_tags([parse_tag(tag) for tag in tags.split()], scheme)]


@pytest.mark.parametrize(
    ("tags", "scheme", "spans"),
    [
        ("O B-x I-x O", "bio", [(1, 3, "x", True)]),
        ("B-x B-x I-x", "bio", [(0, 1, "x", True), (1, 3, "x", True)]),
        ("B-x I-y O", "bio", [(0, 1, "x", True), (1, 2, "y", False)]),
        ("I-x I-x", "bio", [(0, 2, "x", False)]),
        ("B-x M-x E-x S-x", "bmes", [(0, 3, "x", True), (3, 4, "x", True)]),
        ("B-x M-x O", "bmes", [(0, 2, "x", False)]),
        ("M-x E-x", "bmes", [(0, 2, "x", False)]),
        ("B-x S-y E-x", "bmes", [(0, 1, "x", False), (1, 2, "y", True), (2, 3, "x", False)]),
        ("B-x I-x E-x O S-y", "bioes", [(0, 3, "x", True), (4, 5, "y", True)]),
        ("B-x I-x L-x U-y", "bioes", [(0, 3, "x", True), (3, 4, "y", True)]),
        ("B_x I_x", "bio", [(0, 2, "x", True)]),
        ("", "bio", []),
    ],
)
def test_decoding(tags, scheme, spans):
    assert decode(tags, scheme) == spans


@pytest.mark.parametrize("tag", ["", "o", "B", "B:x", "X-x", "肺", "OO"])
def test_unknown_tags_are_refused(tag):
    with pytest.raises(ValueError, match="is no tag"):
        parse_tag(tag)


@pytest.mark.parametrize(("letters", "scheme"), [("BIO", "bio"), ("BMESO", "bmes"), ("BISO", "bioes"), ("O", "bio")])
def test_scheme_detection(letters, scheme):
    assert detect_scheme(letters) == scheme


@pytest.mark.parametrize("scheme", SCHEMES)
@given(lengths=st.lists(st.tuples(st.integers(0, 2), st.integers(1, 4), st.sampled_from("xy"))))
def test_encoding_is_undone_by_decoding(scheme, lengths):
    spans, position = [], 0
    for gap, length, label in lengths:
        spans.append((position + gap, position + gap + length, label))
        position += gap + length
    tags = encode_tags(position, spans, scheme)
    assert decode(" ".join(tags), scheme) == [(*span, True) for span in spans]


def test_flat_choice():
    outer, inner, crossing, twin = Entity(0, 6, "a"), Entity(0, 4, "b"), Entity(5, 8, "c"), Entity(0, 6, "d")
    assert flat_choice([inner, crossing, outer, twin]) == ([outer], [twin, inner, crossing])
    assert flat_choice([inner, crossing, outer], innermost=True) == ([inner, crossing], [outer])
