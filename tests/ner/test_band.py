import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from spacy_medflat.ner.band import iter_chunks, locate, make_band

LENGTHS = st.lists(st.integers(0, 40), max_size=6)


@given(LENGTHS, st.integers(1, 50), st.integers(1, 16), st.integers(1, 400))
def test_the_chunks_hold_every_span_of_the_band_once(lengths, max_width, block_starts, max_scores):
    band = make_band(np.array(lengths, dtype=np.int64), max_width, block_starts)
    offsets = np.cumsum(lengths) - lengths
    found = []
    for chunk in iter_chunks(band, 3, max_scores):
        assert len(chunk.blocks) == 1 or chunk.valid.size * 3 <= max_scores
        block, i, j = chunk.valid.nonzero()
        found += zip(
            band.doc[chunk.blocks[block]].tolist(),
            chunk.start_rows[block, i].tolist(),
            chunk.end_rows[block, j].tolist(),
            strict=True,
        )
    expected = [
        (doc, offset + i, offset + j)
        for doc, (n, offset) in enumerate(zip(lengths, offsets.tolist(), strict=True))
        for i in range(n)
        for j in range(i, min(n, i + max_width))
    ]
    assert sorted(found) == sorted(expected)


@given(LENGTHS.filter(sum), st.integers(1, 50), st.integers(1, 16), st.data())
def test_a_span_is_located_where_its_rows_are(lengths, max_width, block_starts, data):
    band = make_band(np.array(lengths, dtype=np.int64), max_width, block_starts)
    doc = data.draw(st.sampled_from([d for d, n in enumerate(lengths) if n]))
    start = data.draw(st.integers(0, lengths[doc] - 1))
    end = data.draw(st.integers(start + 1, min(lengths[doc], start + max_width)))
    block, i, j = (int(a[0]) for a in locate(band, *(np.array([x]) for x in (doc, start, end))))
    assert (band.doc[block], band.first[block] + i, band.first[block] + j) == (doc, start, end - 1)
    assert 0 <= i < band.n_starts[block] and 0 <= j < band.n_ends[block]


def test_memory_grows_with_the_text_not_with_its_square():
    scores = []
    for length in (10_000, 20_000):
        chunks = list(iter_chunks(make_band(np.array([length]), 128), 9))
        scores.append(sum(chunk.valid.size for chunk in chunks))
        assert max(chunk.valid.size * 9 for chunk in chunks) <= 2**22
    assert scores[1] < 2.05 * scores[0]
