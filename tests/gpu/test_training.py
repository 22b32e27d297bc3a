"""Training on a device: the adversarial update in mixed precision, the optimizer's steps, and going on after a kill."""

import io
from functools import partial

import numpy as np
import pytest
import spacy
import torch
from thinc.api import get_current_ops

from spacy_medflat._internals import grad_scaler_of
from spacy_medflat.training.adversarial.attacks import FGM, PGD
from spacy_medflat.training.optimizer.layerwise import create_layerwise_adamw
from spacy_medflat.training.parameters import walk_modules
from spacy_medflat.training.resume.checkpoint import CheckpointFolder
from spacy_medflat.training.resume.loop import train
from spacy_medflat.training.resume.state import dump_weights as read_weights

from ..pipelines import LISTENER, make_examples, write_recipe
from ..training.runs import initialized, saved_weights, transformer_config
from ..training.victims import HEADS, attack_it
from .devices import assert_close, compute_on, gpu_id, numbers

ATTACKS = {"FGM": FGM(0.5), "PGD": PGD(0.5, 0.2, 2)}


def dump_weights(nlp):
    """A copy of all weights: on a CPU what is read is the memory itself."""
    return {name: array.copy() for name, array in read_weights(nlp).items()}


def _mixed_pipeline(folder, init_scale):
    """An encoder in mixed precision, and a head."""
    nlp = spacy.blank("zh")
    encoder = write_recipe(folder, position_embedding_type="absolute", dropout=0.1)
    model = {"@architectures": "spacy_medflat.CharTransformer.v1", "name": str(encoder), "window": 64, "overlap": 16}
    mixed = {"mixed_precision": True, "grad_scaler_config": {"init_scale": init_scale}}
    nlp.add_pipe("transformer", config={"model": {**model, **mixed}})
    nlp.add_pipe("medflat_ner", config={"model": {**HEADS["medflat_ner"], "tok2vec": LISTENER}})
    examples = make_examples(nlp)
    nlp.initialize(lambda: examples)
    return nlp, examples


@pytest.mark.parametrize("target", ["output", "weights"])
@pytest.mark.parametrize("attack", ATTACKS)
def test_attacks_in_mixed_precision(device, attack, target, tmp_path):
    compute_on(device)
    nlp, examples = _mixed_pipeline(tmp_path / "recipe", 2.0**7)
    scalers = [grad_scaler_of(shim) for _, shim, _ in walk_modules(nlp.components)]
    assert any(scaler._enabled for scaler in scalers) == (device.type == "cuda")
    attack_it(nlp, ATTACKS[attack], target=target)
    before = dump_weights(nlp)
    losses = nlp.update(examples, sgd=False, losses={})
    assert nlp.update.stats.attacked == 1 and not nlp.update.stats.skipped
    assert all(np.isfinite(value) for value in losses.values()) and len(losses) == 4
    after = dump_weights(nlp)
    assert all(np.array_equal(after[name], before[name]) for name in before)
    _step(nlp, examples, before)


def _step(nlp, examples, before):
    """Two steps change weights, and leave no NaN."""
    optimizer = create_layerwise_adamw(encoder_rate=1e-3, head_rate=1e-3)
    for _ in range(2):
        nlp.update(examples, sgd=optimizer)
    after = dump_weights(nlp)
    assert all(np.isfinite(array).all() for array in after.values())
    assert any(not np.array_equal(after[name], before[name]) for name in before)


def test_an_overflow_gives_the_attack_up(gpu, tmp_path):
    compute_on(gpu)
    nlp, examples = _mixed_pipeline(tmp_path / "recipe", 2.0**60)
    attack_it(nlp, FGM(0.5))
    optimizer = create_layerwise_adamw(encoder_rate=1e-3, head_rate=1e-3)
    before = dump_weights(nlp)
    nlp.update(examples, sgd=optimizer)
    assert nlp.update.stats.attacked == 0
    assert set(nlp.update.stats.reasons) == {"the clean gradient overflows in mixed precision"}
    encoder = [name for name in before if "embeddings" in name and "buffer" not in name]
    after = dump_weights(nlp)
    assert encoder and all(np.array_equal(after[name], before[name]) for name in encoder)
    assert all(np.isfinite(array).all() for array in after.values())


NAMES = ("embeddings.word_embeddings.weight", "encoder.layer.0.output.dense.weight", "pooler.dense.bias", "pair.weight")


def _stepped(weights, gradients):
    """Weights and averages after steps of the optimizer on arrays of the present device."""
    xp = get_current_ops().xp
    settings = {"layer_decay": 0.8, "average_decay": 0.9, "grad_clip": 1.0, "weight_decay": 0.1}
    optimizer = create_layerwise_adamw(encoder_rate=0.01, head_rate=0.1, **settings)
    # The first three are of an encoder, the last is of a head.
    keys = [(1 + (name == "pair.weight"), name) for name in NAMES]
    arrays = [xp.asarray(array) for array in weights]
    for step in gradients:
        for i, key in enumerate(keys):
            gradient = xp.asarray(step[i].copy())
            arrays[i], _ = optimizer(key, arrays[i], gradient)
            assert not numbers(gradient).any() or optimizer._held
        optimizer.step_schedules()
    assert all(isinstance(array, xp.ndarray) for array in arrays)
    return arrays, [optimizer.averages.values[key] for key in keys]


def test_the_optimizer_takes_the_same_steps(device):
    random = np.random.default_rng(0)
    shapes = [(3, 4), (4, 4), (4,), (2, 4)]
    weights = [random.standard_normal(shape).astype("f") for shape in shapes]
    gradients = [[random.standard_normal(shape).astype("f") for shape in shapes] for _ in range(4)]
    wanted, wanted_averages = _stepped([array.copy() for array in weights], gradients)
    compute_on(device)
    found, averages = _stepped([array.copy() for array in weights], gradients)
    for ours, theirs in zip([*found, *averages], [*wanted, *wanted_averages], strict=True):
        assert_close(ours, theirs, atol=1e-6)
    assert averages[0].device.type == device.type


class KilledError(Exception):
    pass


def test_a_training_goes_on_after_a_kill(gpu, tmp_path, monkeypatch):
    compute_on(gpu)
    config = transformer_config(tmp_path / "config", dropout=0.0)
    run = partial(train, use_gpu=gpu_id(gpu), stdout=io.StringIO(), stderr=io.StringIO())
    whole, output = tmp_path / "whole", tmp_path / "output"
    run(initialized(config), whole)
    written = CheckpointFolder.write

    def write(folder, checkpoint):
        written(folder, checkpoint)
        if checkpoint.step >= 5:
            raise KilledError

    with monkeypatch.context() as patch:
        patch.setattr(CheckpointFolder, "write", write)
        with pytest.raises(KilledError):
            run(initialized(config), output)
    run(initialized(config), output, resume=True)
    wanted, found = saved_weights(whole / "model-last"), saved_weights(output / "model-last")
    assert found.keys() == wanted.keys()
    # Atomic additions of a GPU come in any order, and Adam makes much of a last digit of small gradients.
    far = [np.abs(found[name] - wanted[name]).mean() / (np.abs(wanted[name]).mean() + 1e-3) for name in wanted]
    assert max(far) < 0.05
    assert torch.cuda.is_available() or max(far) == 0
