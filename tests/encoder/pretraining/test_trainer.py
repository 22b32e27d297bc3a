import numpy as np
import pytest
import torch

from spacy_medflat.encoder.pieces import PieceMap
from spacy_medflat.encoder.pretraining.encoder_source import find_recipe, load_masked_lm
from spacy_medflat.encoder.pretraining.learnt_state import dump, load
from spacy_medflat.encoder.pretraining.masking import MaskPieces, mask_batch
from spacy_medflat.encoder.pretraining.packing import CharacterPieces, Packer
from spacy_medflat.encoder.pretraining.run_options import Watcher
from spacy_medflat.encoder.pretraining.trainer import Trainer
from spacy_medflat.errors import CheckpointError

from .corpora import make_texts, small_recipe, small_settings


def trainer_of(folder, **settings):
    settings = small_settings(folder, **settings)
    tokenizer, model = load_masked_lm(settings, find_recipe(settings), None, Watcher(), True)
    pieces = PieceMap(tokenizer)
    trainer = Trainer(model, MaskPieces.of(pieces, tokenizer, len(tokenizer)), settings, settings.steps)
    packer = Packer(settings.length, pieces)
    rows = np.stack(list(packer.add(CharacterPieces(pieces)(make_texts(60)))))
    return trainer, [rows[i : i + 4] for i in range(0, len(rows) - 4, 4)]


@pytest.fixture
def recipe(tmp_path):
    return small_recipe(tmp_path)


def test_the_loss_is_that_of_the_whole_model(recipe):
    trainer, batches = trainer_of(recipe, dropout=0.0)
    masked = mask_batch(batches[0], 0.15, trainer.pieces, np.random.default_rng(3))
    logits = trainer.model.model(torch.from_numpy(masked.ids)).logits.detach().flatten(0, 1)
    expected = torch.nn.functional.cross_entropy(logits[masked.places], torch.from_numpy(masked.targets))
    total, scores = trainer._loss(masked)
    assert total.item() / len(masked.places) == pytest.approx(expected.item(), rel=1e-5)
    assert torch.allclose(scores, logits[masked.places], atol=1e-5)


def test_it_learns(recipe):
    trainer, batches = trainer_of(recipe, steps=60, rate=2e-2, dropout=0.0)
    before = trainer.evaluate(batches[:3])
    for step in range(60):
        trainer.update(np.zeros_like(batches[0]) + batches[0][:1], step)
    after = trainer.evaluate([batches[0][:1]])
    assert after.loss < before.loss / 2 and after.accuracy > before.accuracy + 0.2


def test_an_evaluation_is_the_same_each_time_and_changes_nothing(recipe):
    trainer, batches = trainer_of(recipe)
    state = {name: tensor.clone() for name, tensor in trainer.model.state_dict().items()}
    first = trainer.evaluate(batches[:5])
    assert first == trainer.evaluate(batches[:5]) and first.masked > 30
    assert all(torch.equal(tensor, state[name]) for name, tensor in trainer.model.state_dict().items())


def test_biases_and_normalization_do_not_decay(recipe):
    trainer, _ = trainer_of(recipe)
    decaying, others = trainer.optimizer.param_groups
    assert all(p.ndim > 1 for p in decaying["params"]) and others["weight_decay"] == 0
    assert sum(len(group["params"]) for group in (decaying, others)) == len(list(trainer.model.parameters()))


def test_nothing_to_mask_is_no_step_into_nowhere(recipe):
    trainer, batches = trainer_of(recipe)
    empty = batches[0].copy()
    empty[:, 0, 1:-1] = trainer.pieces.frame[2]
    assert trainer.update(empty, 0) == 0 and trainer.evaluate([empty]).masked == 0
    assert all(torch.isfinite(p).all() for p in trainer.model.parameters())


def test_half_precision_is_near(recipe):
    full, batches = trainer_of(recipe, dropout=0.0)
    half, _ = trainer_of(recipe, dropout=0.0, mixed_precision=True)
    for step in range(5):
        losses = [float(trainer.update(batches[step], step)) for trainer in (full, half)]
        assert losses[0] == pytest.approx(losses[1], rel=0.02)
    assert all(p.dtype == torch.float32 for p in half.model.parameters())


def test_a_state_goes_on_as_if_nothing_had_happened(recipe):
    one, batches = trainer_of(recipe)
    for step in range(3):
        one.update(batches[step], step)
    saved = {name: array.copy() for name, array in dump(one.model, one.optimizer).items()}
    other, _ = trainer_of(recipe, seed=0)
    load(other.model, other.optimizer, saved)
    for step in range(3, 6):
        losses = [trainer.update(batches[step], step) for trainer in (one, other)]
        assert torch.equal(*losses)
    assert all(map(torch.equal, one.model.parameters(), other.model.parameters()))
    # What the other trained in is its own memory.
    fresh = dump(one.model, one.optimizer)
    assert any(not np.array_equal(array, fresh[name]) for name, array in saved.items())


def test_a_state_of_another_encoder(tmp_path):
    one, _ = trainer_of(small_recipe(tmp_path / "a"))
    other, _ = trainer_of(small_recipe(tmp_path / "b", hidden_size=32))
    before = [p.clone() for p in other.model.parameters()]
    with pytest.raises(CheckpointError, match="of another encoder"):
        load(other.model, other.optimizer, dump(one.model, one.optimizer))
    assert all(map(torch.equal, before, other.model.parameters()))
