import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from spacy.tokens import Doc
from spacy.vocab import Vocab

from spacy_medflat.encoder.pretraining.packing import BEGIN, IDS, INSIDE, OUTSIDE, WORDS, CharacterPieces, Packer
from spacy_medflat.lattice.lexicon import Lexicon
from spacy_medflat.lattice.lexicon_words import Matcher
from spacy_medflat.lattice.rules import WordRules

from .corpora import CHARACTERS, decoded, small_pieces
from .corpora import WORDS as LEXICON

_, PIECES = small_pieces()
ENCODE = CharacterPieces(PIECES, Matcher(Lexicon(LEXICON), WordRules(), "lexicon", nested=False))
TEXTS = st.lists(st.text(alphabet=CHARACTERS + "Ａ1\n\0😀é ", min_size=1, max_size=30), min_size=1, max_size=8)


@given(TEXTS)
def test_pieces_are_those_that_an_encoder_reads_later(texts):
    ids = ENCODE(texts)[IDS]
    expected = []
    for text in texts:
        doc = Doc(Vocab(), words=list(text), spaces=[False] * len(text))
        expected += [*PIECES(doc).tolist(), PIECES.sep_id]
    assert ids.tolist() == expected


def test_words_do_not_overlap_and_stay_in_their_text():
    places = ENCODE(["右肺下叶结节", "影", "发热咳", "嗽"])
    signs = dict(zip((OUTSIDE, BEGIN, INSIDE), ".B-", strict=True))
    assert "".join(map(signs.get, places[WORDS].tolist())) == "B---B-." + ".." + "B-.." + ".."


def test_without_a_lexicon_there_are_no_words():
    assert not CharacterPieces(PIECES)(["右肺下叶结节"])[WORDS].any()


def test_the_share_of_unknown_characters():
    frequency = np.zeros(0x110000, dtype=np.int64)
    frequency[[ord("咳"), ord("é"), ord("Ａ")]] = 6, 3, 1
    assert ENCODE.unknown_share(frequency) == pytest.approx(0.4)
    assert ENCODE.unknown_share(np.zeros(0x110000, dtype=np.int64)) == 0


@given(TEXTS, st.integers(8, 20))
def test_packing_keeps_every_piece_in_its_order(texts, length):
    packer = Packer(length, PIECES)
    sequences = [sequence for text in texts for sequence in packer.add(ENCODE([text]))]
    full = len(sequences)
    sequences += packer.finish()
    assert not list(packer.finish())
    rows = [decoded(sequence[IDS], ENCODE) for sequence in sequences]
    assert all(len(row) == length and row.startswith("^") for row in rows)
    assert all(row.endswith("|") and "_" not in row and row[1] != "|" for row in rows[:full])
    # There is no room for a text of which only [SEP] would be left.
    assert all("||" not in row[:-1] for row in rows[:full])
    kept = "".join(row.rstrip("_").strip("^|") for row in rows)
    plain = decoded(ENCODE(texts)[IDS], ENCODE)
    assert kept.replace("|", "") == plain.replace("|", "")
    # A word that is cut goes on as a word.
    words = np.concatenate([sequence[WORDS][1:] for sequence in sequences])
    ids = np.concatenate([sequence[IDS][1:] for sequence in sequences])
    all_places = ENCODE(texts)
    inner = ~np.isin(ids, [PIECES.sep_id, PIECES.pad_id])
    assert words[inner].tolist() == all_places[WORDS][all_places[IDS] != PIECES.sep_id].tolist()
    assert not words[~inner].any()


def test_texts_and_their_ends():
    packer = Packer(8, PIECES)
    rows = [*packer.add(ENCODE(["咳嗽", "发热胸", "痛", "呼吸困难患者咳嗽痰"])), *packer.finish()]
    assert [decoded(row[IDS], ENCODE) for row in rows] == ["^咳嗽|发热胸|", "^痛|呼吸困难|", "^患者咳嗽痰|_"]
