import numpy as np
import pytest
import spacy
from hypothesis import given
from hypothesis import strategies as st

from spacy_medflat.encoder.pieces import PieceMap, batch_pieces
from spacy_medflat.encoder.recipe import Recipe, build_encoder

NLP = spacy.blank("zh")


@pytest.fixture(scope="module")
def pieces():
    tokenizer, _ = build_encoder(Recipe(hidden_size=8, intermediate_size=8, num_attention_heads=1))
    return PieceMap(tokenizer)


def names(pieces, text):
    return pieces._tokenizer.convert_ids_to_tokens(pieces(NLP.make_doc(text)).tolist())


def test_every_character_is_a_piece_of_its_own(pieces):
    assert names(pieces, "5mmol") == list("5mmol")


def test_upper_case_full_width_and_line_breaks(pieces):
    assert names(pieces, "WBC") == ["w", "b", "c"]
    assert names(pieces, "ＷＢＣ１２") == ["ｗ", "ｂ", "ｃ", "１", "２"]
    assert names(pieces, "肺\n\n 癌😀") == ["肺", "[UNK]", "癌", "[UNK]"]
    # ㎝ is not in GB 2312; its compatibility form has two characters, which one piece cannot be.
    assert names(pieces, "㎝𠮷") == ["[UNK]", "[UNK]"]
    assert names(pieces, "ﬁ²") == ["[UNK]", "2"]


def test_special_pieces_never_stand_for_text(pieces):
    ids = pieces(NLP.make_doc("[CLS][SEP][PAD]"))
    assert not {pieces.cls_id, pieces.sep_id, pieces.pad_id} & set(ids.tolist())


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_one_piece_for_each_token_of_any_text(pieces, text):
    doc = NLP.make_doc(text)
    ids = pieces(doc)
    assert ids.shape == (len(doc),)
    assert ((ids >= 0) & (ids < len(pieces._vocab))).all()
    assert doc.text == text


def test_unknown_share(pieces):
    assert pieces.unknown_share() == 0.0
    assert pieces.unknown_share("肺😀") == 0.5


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


@given(st.lists(st.integers(1, 30), min_size=1, max_size=12), st.integers(1, 100), st.integers(0, 100))
def test_parts_hold_every_window_once_and_bound_the_padding(lengths, max_items, overhead):
    batch = batch_pieces([np.arange(3, 3 + n) for n in lengths], 30, 0, FakePieces())
    seen = []
    for rows, part in batch.parts(max_items, overhead):
        seen.extend(rows.tolist())
        assert len(part) == 1 or part.longest * len(part) <= max_items
        assert all((part.ids[i] == batch.ids[row]).all() for i, row in enumerate(rows))
    assert sorted(seen) == list(range(len(batch)))
