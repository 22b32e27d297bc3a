from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spacy_medflat.encoder.pretraining.masking import MaskPieces, mask_batch
from spacy_medflat.encoder.pretraining.packing import IDS, WORDS, CharacterPieces, Packer
from spacy_medflat.errors import EncoderError
from spacy_medflat.lattice.lexicon import Lexicon
from spacy_medflat.lattice.lexicon_words import Matcher
from spacy_medflat.lattice.rules import WordRules

from .corpora import WORDS as LEXICON
from .corpora import make_texts, small_pieces

TOKENIZER, PIECES = small_pieces()
VOCABULARY = len(TOKENIZER)
MASK = MaskPieces.of(PIECES, TOKENIZER, VOCABULARY)
ENCODE = CharacterPieces(PIECES, Matcher(Lexicon(LEXICON), WordRules(), "lexicon", nested=False))


def batch_of(texts, length=24):
    packer = Packer(length, PIECES)
    return np.stack([*packer.add(ENCODE(texts)), *packer.finish()])


MANY = batch_of([text.replace("患者", "咳嗽发热") + "呼吸困难X" for text in make_texts(400)])


@given(st.integers(0, 2**32), st.floats(0.01, 0.99), st.integers(1, 30))
def test_what_is_masked_can_be_put_back(seed, share, rows):
    batch = MANY[:rows]
    before = batch.copy()
    masked = mask_batch(batch, share, MASK, np.random.default_rng(seed))
    assert (batch == before).all()
    restored = masked.ids.copy()
    restored.reshape(-1)[masked.places] = masked.targets
    assert (restored == batch[:, IDS]).all()
    assert len(np.unique(masked.places)) == len(masked.places)
    special = [PIECES.cls_id, PIECES.sep_id, PIECES.pad_id, PIECES.unk_id, MASK.mask_id]
    assert not np.isin(masked.targets, special).any()


def test_every_character_has_the_same_probability():
    counts = np.zeros(MANY[:, IDS].size)
    rounds = 200
    for seed in range(rounds):
        counts[mask_batch(MANY, 0.15, MASK, np.random.default_rng(seed)).places] += 1
    flat = MANY[:, IDS].reshape(-1)
    can = MASK.maskable[flat]
    assert not counts[~can].any()
    assert counts[can].mean() / rounds == pytest.approx(0.15, abs=0.002)
    inside = MANY[:, WORDS].reshape(-1) > 0
    assert counts[can & inside].mean() / rounds == pytest.approx(0.15, abs=0.005)
    # Of so many binomials, the rarest lies so far out.
    assert abs(counts[can] / rounds - 0.15).max() < 0.15


def test_of_the_masked_places_four_fifths_show_a_mask():
    fates = np.zeros(3)
    for seed in range(40):
        masked = mask_batch(MANY, 0.3, MASK, np.random.default_rng(seed))
        shown = masked.ids.reshape(-1)[masked.places]
        fates += [(shown == MASK.mask_id).sum(), (shown == masked.targets).sum(), 0]
        fates[2] += ((shown != MASK.mask_id) & (shown != masked.targets)).sum()
        assert np.isin(shown[shown != MASK.mask_id], MASK.characters).all()
    assert fates / fates.sum() == pytest.approx([0.8, 0.1, 0.1], abs=0.01)


def test_a_word_is_masked_as_a_whole_or_not_at_all():
    words = MANY[:, WORDS].reshape(-1)
    for seed in range(20):
        chosen = np.zeros(words.size, dtype=bool)
        chosen[mask_batch(MANY, 0.3, MASK, np.random.default_rng(seed)).places] = True
        inside = np.flatnonzero(words == 2)
        # One that was cut has its begin in another sequence.
        inside = inside[inside % MANY.shape[2] > 1]
        assert (chosen[inside] == chosen[inside - 1]).all()


def test_between_words_runs_have_one_to_three_characters():
    batch = batch_of(["患者见影考虑可能建议抗炎治疗后复查" * 40], 64)
    assert not (batch[:, WORDS] == 2).any()
    lengths = []
    for seed in range(60):
        chosen = np.zeros(batch[:, IDS].size + 2, dtype=int)
        chosen[mask_batch(batch, 0.05, MASK, np.random.default_rng(seed)).places + 1] = 1
        edges = np.flatnonzero(np.diff(chosen))
        lengths += (edges[1::2] - edges[::2]).tolist()
    shares = np.bincount(lengths, minlength=8) / len(lengths)
    # Runs that touch make longer ones now and then.
    assert all(shares[1:4] > 0.2) and shares[4:].sum() < 0.15


def test_chance_alone_decides():
    one, same, other = (mask_batch(MANY, 0.15, MASK, np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert (one.ids == same.ids).all() and (one.places == same.places).all()
    assert not np.array_equal(one.places, other.places)


def test_attention_is_given_only_where_there_is_padding():
    assert mask_batch(MANY[:2], 0.15, MASK, np.random.default_rng(0)).attention is None
    padded = batch_of(["咳嗽"])
    assert mask_batch(padded, 0.15, MASK, np.random.default_rng(0)).attention.sum() == 4


def test_nothing_to_mask():
    masked = mask_batch(batch_of(["XYZ"]), 0.9, MASK, np.random.default_rng(0))
    assert not len(masked.places) and not len(masked.targets)


def test_an_encoder_without_a_mask_is_refused():
    tokenizer = SimpleNamespace(mask_token=None, name_or_path="some/encoder")
    with pytest.raises(EncoderError, match=r"some/encoder.* has no mask_token"):
        MaskPieces.of(PIECES, tokenizer, VOCABULARY)
