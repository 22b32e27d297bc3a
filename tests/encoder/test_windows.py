import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spacy_medflat.encoder.windows import split_windows


@given(st.integers(0, 3000), st.integers(1, 300), st.data())
def test_windows_cover_every_token_with_context(length, window, data):
    overlap = data.draw(st.integers(0, window - 1))
    w = split_windows(length, window, overlap)
    if length == 0:
        assert len(w.starts) == 0
        return
    assert w.starts[0] == 0 and w.ends[-1] == length
    sizes = w.ends - w.starts
    assert sizes.max() <= window and sizes.min() >= 1
    assert (w.ends[:-1] - w.starts[1:] >= overlap).all()
    owned = np.append(w.owner_starts, length)
    assert (np.diff(owned) > 0).all() or overlap > window // 2
    # Each window owns tokens that it reads, at least overlap // 2 away from an inner edge.
    assert (w.owner_starts[1:] - w.starts[1:] >= overlap // 2).all()
    assert (w.ends[:-1] - owned[1:-1] >= overlap // 2).all()


def test_a_text_that_fits_is_one_window():
    w = split_windows(256, 256, 32)
    assert (w.starts.tolist(), w.ends.tolist(), w.owner_starts.tolist()) == ([0], [256], [0])


def test_windows_are_as_long_as_each_other():
    w = split_windows(300, 256, 32)
    assert (w.ends - w.starts).tolist() == [166, 166]


@pytest.mark.parametrize("overlap", [-1, 8, 9])
def test_an_impossible_overlap_is_named(overlap):
    with pytest.raises(ValueError, match=rf"window=8, but it is {overlap}"):
        split_windows(10, 8, overlap)
