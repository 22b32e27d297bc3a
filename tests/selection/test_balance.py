import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from spacy_medflat.scale.items import Document
from spacy_medflat.selection.balance import label_weights
from spacy_medflat.selection.reading import ReadNote
from spacy_medflat.selection.select import balanced
from spacy_medflat.selection.uncertainty import reading_cost


def most_unsure(bits, costs, weights, count):
    return np.argsort(-(bits @ weights / costs), kind="stable")[:count]


def enumerations(texts=1000, seed=0):
    """Doubt of two labels alike in all; that of the first lies in few texts, which are full of it."""
    draw = np.random.default_rng(seed)
    bits = draw.uniform(0, 1, (texts, 2)) * [0.2, 1.0]
    bits[: texts // 5, 0] += draw.uniform(1, 3, texts // 5)
    return bits, np.full(texts, 50.0)


def test_the_most_unsure_texts_doubt_labels_as_all_texts_do():
    bits, costs = enumerations()
    wanted = bits[:, 0].sum() / bits.sum()
    plain = bits[most_unsure(bits, costs, np.ones(2), 100)]
    assert plain[:, 0].sum() / plain.sum() > wanted + 0.25
    weights = label_weights(bits, costs, 100)
    found = bits[most_unsure(bits, costs, weights, 100)]
    assert found[:, 0].sum() / found.sum() == pytest.approx(wanted, abs=0.1)
    assert found.sum() > 1.4 * bits.sum() / 10


def test_there_may_be_nothing_to_balance():
    bits, costs = enumerations(40)
    assert label_weights(bits, costs, 40).tolist() == [1.0, 1.0]
    assert label_weights(np.zeros((40, 3)), costs, 10).tolist() == [1.0] * 3
    assert label_weights(bits[:, :1], costs, 10) == pytest.approx([1.0])


@given(arrays(np.float64, (12, 3), elements=st.floats(0, 5, width=16)), st.integers(1, 12))
def test_weights_keep_the_sum_of_all_doubt(bits, count):
    weights = label_weights(bits, np.linspace(21, 200, 12), count)
    assert (weights > 0).all() and np.isfinite(weights).all()
    assert (bits @ weights).sum() == pytest.approx(bits.sum(), rel=1e-9)


def test_notes_are_valued_by_weighted_bits_for_each_character():
    bits, _ = enumerations(60)
    notes = [ReadNote(Document("肺" * (i + 1), {}, None, ""), bits=tuple(row)) for i, row in enumerate(bits.tolist())]
    costs = np.array([reading_cost(note.document.text) for note in notes], dtype=np.float64)
    scored = balanced(notes, 1)
    assert [text.text for text in scored] == [note.document.text for note in notes]
    weights = label_weights(bits, costs, 10)
    assert [text.uncertainty for text in scored] == pytest.approx((bits @ weights / costs).tolist())
    assert abs(np.log(weights)).max() > 0.1
    everything = [text.uncertainty for text in balanced(notes, 6)]
    assert everything == pytest.approx([note.uncertainty for note in notes])
    assert balanced([], 6) == []
