from collections import Counter
from itertools import islice

import numpy as np
import pytest

from spacy_medflat.encoder.pretraining import epochs
from spacy_medflat.encoder.pretraining.epochs import Sequences, epoch_of, shuffled
from spacy_medflat.encoder.pretraining.packing import IDS, CharacterPieces
from spacy_medflat.encoder.pretraining.survey import survey_texts
from spacy_medflat.encoder.pretraining.text_inputs import find_inputs
from spacy_medflat.errors import MedflatError

from .corpora import make_texts, small_pieces, write_texts

ENCODE = CharacterPieces(small_pieces()[1])
LENGTH = 24


@pytest.fixture
def inputs(tmp_path):
    names = [str(write_texts(tmp_path / "a.txt", 60, 0)), str(write_texts(tmp_path / "b.txt", 30, 1))]
    return find_inputs(names, [f"{names[1]}=2"])


def sequences_of(inputs, epoch=0, seed=0):
    survey = survey_texts(inputs, 0.1)
    return [sequence.copy() for sequence in epoch_of(inputs, survey, ENCODE, LENGTH, seed, epoch)], survey


def characters_of(texts):
    return Counter(ENCODE(texts)[IDS].tolist())


def test_an_epoch_has_every_text_so_often_and_none_that_is_held_out(inputs, monkeypatch):
    monkeypatch.setattr(epochs, "_CHUNK", 200)
    sequences, survey = sequences_of(inputs)
    frame = {ENCODE.pieces.cls_id, ENCODE.pieces.sep_id, ENCODE.pieces.pad_id}
    found = Counter(number for sequence in sequences for number in sequence[IDS].tolist() if number not in frame)
    texts = [text for text in make_texts(60, 0) + 2 * make_texts(30, 1) if text not in survey.held_out.values()]
    assert {n: k for n, k in characters_of(texts).items() if n not in frame} == dict(found)


def test_epochs_and_seeds_differ_and_come_again(inputs):
    first, again, other, seed = (sequences_of(inputs, *which)[0] for which in ((0, 0), (0, 0), (1, 0), (0, 1)))
    assert all(map(np.array_equal, first, again))
    assert not all(map(np.array_equal, first, other)) and not all(map(np.array_equal, first, seed))

    def multiset(sequences):
        return Counter(sequence.tobytes() for sequence in sequences)

    assert multiset(first) == multiset(other) == multiset(seed)


def test_a_small_buffer_keeps_every_sequence(monkeypatch):
    monkeypatch.setattr(epochs, "SHUFFLED_PIECES", 40)
    given = [np.full((2, 8), i, dtype=np.int32) for i in range(30)]
    found = [int(s[0, 0]) for s in shuffled(iter(given), 8, np.random.default_rng(0))]
    assert sorted(found) == list(range(30)) != found
    # No sequence comes before it was read.
    assert all(number <= place + 5 for place, number in enumerate(found))


def test_inputs_are_read_side_by_side(tmp_path, monkeypatch):
    monkeypatch.setattr(epochs, "_CHUNK", 100)
    monkeypatch.setattr(epochs, "SHUFFLED_PIECES", LENGTH)
    (tmp_path / "a.txt").write_text("\n".join("咳" * n for n in range(20, 80)), encoding="utf8")
    (tmp_path / "b.txt").write_text("\n".join("热" * n for n in range(20, 50)), encoding="utf8")
    sequences, _ = sequences_of(find_inputs([str(tmp_path / "a.txt"), str(tmp_path / "b.txt")]))
    hot = ENCODE.pieces.piece_id("热")
    shares = [np.mean([hot in s[IDS] for s in half]) for half in np.array_split(np.stack(sequences), 3)]
    assert max(shares) - min(shares) < 0.2


def test_a_batch_goes_on_in_the_next_epoch():
    made = []

    def make(epoch):
        made.append(epoch)
        return iter([np.full((2, 8), 10 * epoch + i, dtype=np.int32) for i in range(3)])

    sequences = Sequences(make)
    assert sequences.batch(2)[:, 0, 0].tolist() == [0, 1] and (sequences.epoch, sequences.taken) == (0, 2)
    assert sequences.batch(8)[:, 0, 0].tolist() == [2, 10, 11, 12, 20, 21, 22, 30]
    again = Sequences(make, sequences.epoch, sequences.taken)
    assert again.batch(3)[:, 0, 0].tolist() == sequences.batch(3)[:, 0, 0].tolist() == [31, 32, 40]


def test_texts_that_are_gone_are_no_endless_loop():
    sequences = Sequences(lambda epoch: islice(iter([np.zeros((2, 8), dtype=np.int32)]), 1 - epoch))
    with pytest.raises(MedflatError, match="the inputs have changed"):
        sequences.batch(2)
