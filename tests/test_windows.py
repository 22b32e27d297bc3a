from itertools import chain, combinations, pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spacy_medflat.windows import batch_overhead, cheapest_batches, greedy_batches, split_windows


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


@given(st.lists(st.integers(0, 9), max_size=12), st.integers(1, 20))
def test_batches_keep_the_order_fit_and_take_all_that_fits(lengths, limit):
    batches = list(greedy_batches(lengths, lambda total, n: (total or 0) + n, lambda _, total: total <= limit))
    assert [n for batch in batches for n in batch] == lengths
    assert all(len(batch) == 1 or sum(batch) <= limit for batch in batches)
    assert all(sum(batch) + following[0] > limit for batch, following in pairwise(batches))


@given(st.lists(st.integers(1, 9), max_size=12), st.integers(1, 30))
def test_batches_of_padded_items_are_bounded(lengths, limit):
    batches = list(greedy_batches(lengths, lambda m, n: max(m or 0, n), lambda count, m: count * m <= limit))
    assert [n for batch in batches for n in batch] == lengths
    assert all(len(batch) == 1 or len(batch) * max(batch) <= limit for batch in batches)


def every_cut(n):
    """All ways to cut n items in their order."""
    for inner in chain.from_iterable(combinations(range(1, n), k) for k in range(n)):
        yield [slice(*ends) for ends in pairwise((0, *inner, n))]


def cost(sizes, batch, overhead):
    return overhead + len(sizes[batch]) * int(sizes[batch].max(axis=0).sum())


@given(
    st.lists(st.tuples(st.integers(1, 9), st.integers(0, 4)), min_size=1, max_size=7),
    st.integers(0, 40),
    st.integers(0, 60),
)
def test_the_cheapest_batches_are_the_cheapest_of_all(items, overhead, max_items):
    sizes = np.array(items)

    def allowed(batch):
        return len(sizes[batch]) == 1 or cost(sizes, batch, 0) <= max_items

    found = cheapest_batches(sizes, max_items, overhead)
    assert found in list(every_cut(len(sizes))) and all(map(allowed, found))
    least = min(sum(cost(sizes, b, overhead) for b in cut) for cut in every_cut(len(sizes)) if all(map(allowed, cut)))
    assert sum(cost(sizes, batch, overhead) for batch in found) == least


def test_batches_are_small_on_a_cpu_and_few_on_other_devices():
    sizes = np.repeat(np.arange(20, 56, 4), 2)[:, None]
    counts = {device: len(cheapest_batches(sizes, 1024, batch_overhead(device, 1024))) for device in ("cpu", "cuda")}
    assert counts["cpu"] > counts["cuda"] == 1
    assert cheapest_batches(sizes[:0], 1024, 48) == []
