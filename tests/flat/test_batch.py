import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st

from spacy_medflat.flat.batch import DocWords, cut_windows, pack_parts

CPU = torch.device("cpu")


def doc_words(places):
    heads, tails = np.array(places, dtype=np.int64).reshape(-1, 2).T
    return DocWords(heads, tails, np.arange(len(heads)))


@st.composite
def texts(draw):
    lengths = draw(st.lists(st.integers(0, 60), min_size=1, max_size=5))
    words = []
    for length in lengths:
        starts = st.integers(0, max(0, length - 1))
        places = draw(st.lists(st.tuples(starts, st.integers(0, 6)), max_size=12)) if length else []
        words.append(doc_words(sorted({(a, min(a + n, length - 1)) for a, n in places})))
    return lengths, words


@given(texts(), st.integers(1, 20), st.integers(1, 200))
def test_every_character_is_owned_once_and_keeps_its_row(data, window, max_items):
    lengths, words = data
    windows, _ = cut_windows(lengths, words, window, window // 2, 100)
    parts = pack_parts(windows, max_items, CPU)
    targets = [row for part in parts for row in part.targets.tolist()]
    assert sorted(targets) == list(range(sum(lengths)))
    for part in parts:
        assert torch.equal(part.char_rows.flatten()[part.owned], part.targets)
        assert part.layout.char_mask.any(dim=1).all()
        assert (part.layout.word_heads + part.layout.word_lengths <= part.layout.reach).all()


@given(texts(), st.integers(8, 20))
def test_a_word_is_in_every_window_that_holds_it(data, window):
    lengths, words = data
    windows, counts = cut_windows(lengths, words, window, 7, 100)
    first = 0
    for length, found in zip(lengths, words, strict=True):
        mine = [w for w in windows if first <= w.first < first + length]
        for head, tail, feature in zip(*map(np.ndarray.tolist, found), strict=True):
            holders = [w for w in mine if w.first <= first + head and first + tail < w.first + w.n_chars]
            for w in holders:
                at = w.features.tolist().index(feature)
                assert w.first + w.heads[at] == first + head
                assert w.lengths[at] == tail - head + 1
            # Neighbours share seven characters, and no word here is longer.
            assert holders
        first += length
    assert counts["across windows"] == 0


def test_a_word_over_a_seam_is_left_out_and_counted():
    _, counts = cut_windows([20], [doc_words([(0, 1), (5, 14)])], window=8, overlap=2, max_words=9)
    assert counts["across windows"] == 1


def test_the_longest_words_stay():
    words = doc_words([(0, 1), (0, 3), (2, 3), (4, 6)])
    (window,), counts = cut_windows([10], [words], window=10, overlap=0, max_words=3)
    assert counts["crowded out"] == 1
    assert list(zip(window.heads.tolist(), window.lengths.tolist(), strict=True)) == [(0, 2), (0, 4), (4, 3)]


def test_parts_are_bounded():
    windows, _ = cut_windows([5, 9, 2, 30, 7], [doc_words([])] * 5, window=16, overlap=4, max_words=9)
    for part in pack_parts(windows, 20, CPU):
        assert part.layout.char_mask.numel() <= 20 or len(part.layout.char_mask) == 1
