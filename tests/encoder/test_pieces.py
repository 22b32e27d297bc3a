import pytest
import spacy
from hypothesis import given
from hypothesis import strategies as st

from spacy_medflat.encoder.pieces import PieceMap
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
