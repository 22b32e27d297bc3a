import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from spacy_medflat.encoder.batch import batch_pieces


class FakePieces:
    cls_id, sep_id, pad_id = 1, 2, 0


@given(st.lists(st.integers(0, 60), max_size=6), st.integers(2, 20), st.data())
def test_every_token_is_found_at_its_row(lengths, window, data):
    overlap = data.draw(st.integers(0, window - 1))
    docs = [1000 * (i + 1) + np.arange(length) for i, length in enumerate(lengths)]
    batch = batch_pieces(docs, window, overlap, FakePieces())
    assert batch.n_tokens == sum(lengths)
    for width in (batch.longest, batch.longest + 3):
        ids, mask = batch.padded(width)
        assert (ids.ravel()[batch.rows(width)] == np.concatenate([*docs, []])).all()
        assert mask.sum() == batch.lengths.sum() and ((ids != 0) == (mask == 1)).all()


@given(st.lists(st.integers(1, 30), min_size=1, max_size=12), st.integers(1, 100))
def test_parts_hold_every_window_once_and_bound_the_padding(lengths, max_items):
    batch = batch_pieces([np.arange(3, 3 + n) for n in lengths], 30, 0, FakePieces())
    seen = []
    for rows, part in batch.parts(max_items):
        seen.extend(rows.tolist())
        assert len(part) == 1 or part.longest * len(part) <= max_items
        assert all((part.ids[i] == batch.ids[row]).all() for i, row in enumerate(rows))
    assert sorted(seen) == list(range(len(batch)))
