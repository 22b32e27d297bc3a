import copy
import pickle

import numpy as np
import pytest
import torch
from spacy.training import Example
from spacy.util import fix_random_seed
from thinc.api import Adam

from spacy_medflat.training.adversarial.attacks import FGM, PGD, FreeLB, RandomPerturbation
from spacy_medflat.training.adversarial.callbacks import unwrap

from ..victims import (
    HEADS,
    attack_it,
    attacked_gradients,
    clear,
    empty,
    equal,
    gold,
    gradients,
    models,
    owners,
    plain_gradients,
    set_scaler,
    victim,
    weights,
)

ATTACKS = [FGM(0.5), PGD(0.5, 0.3, 2), FreeLB(0.5, 0.3, 2), RandomPerturbation(0.5)]


@pytest.mark.parametrize("target", ["output", "weights"])
@pytest.mark.parametrize("head", HEADS)
def test_epsilon_zero_gives_twice_the_clean_gradient(head, upstream, target):
    nlp = victim(head, upstream)
    examples = gold(nlp)
    clean = plain_gradients(nlp, examples, drop=0.2)
    attack_it(nlp, FGM(0.0), target=target)
    both, losses = attacked_gradients(nlp, examples, drop=0.2)
    assert nlp.update.stats.attacked == 1
    equal(both, {key: 2 * value for key, value in clean.items()})
    assert losses[head] == losses[f"{head}_adversarial"] > 0


@pytest.mark.parametrize("target", ["output", "weights"])
@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: type(attack).__name__)
def test_weights_are_untouched_and_random_numbers_go_on_as_without(upstream, attack, target):
    nlp = victim("medflat_ner", upstream)
    examples = gold(nlp)
    before = weights(nlp)
    plain_gradients(nlp, examples, drop=0.2)
    expected = np.random.random(), torch.rand(1)
    attack_it(nlp, attack, target=target)
    attacked_gradients(nlp, examples, drop=0.2)
    assert (np.random.random(), torch.rand(1)) == expected
    assert nlp.update.stats.attacked == 1
    equal(weights(nlp), before)


@pytest.mark.parametrize("target", ["output", "weights"])
@pytest.mark.parametrize("failing", [1, 2, 3])
def test_an_exception_leaves_everything_as_it_was(upstream, target, failing):
    nlp = victim("medflat_ner", upstream)
    examples = gold(nlp)
    attack_it(nlp, PGD(0.5, 0.3, 2), target=target)
    nlp.update(examples[:2], sgd=False)
    before, waiting = weights(nlp), gradients(nlp)
    flags, functions = _touched(nlp)
    pipe = nlp.get_pipe("medflat_ner")
    update, calls = pipe.update, []

    def fail(*args, **kwargs):
        calls.append(1)
        result = update(*args, **kwargs)
        if len(calls) == failing:
            raise RuntimeError("in the middle")
        return result

    pipe.update = fail
    losses = {"medflat_ner": 1.0}
    with pytest.raises(RuntimeError, match="in the middle"):
        nlp.update(examples[2:], sgd=False, losses=losses)
    equal(weights(nlp), before)
    equal(gradients(nlp), waiting)
    assert _touched(nlp) == (flags, functions)
    assert losses == {"medflat_ner": 1.0}
    del pipe.update
    nlp.update(examples[2:], sgd=False)
    assert not any(flags)


def _touched(nlp):
    """What a pass may change for its time: hooks, parameters that get no gradient, and functions of layers."""
    nodes = [node for model in models(nlp) for node in model.walk()]
    modules = [module for node in nodes for shim in node.shims for module in shim._model.modules()]
    fixed = [not param.requires_grad for module in modules for param in module.parameters(recurse=False)]
    return [len(module._forward_hooks) for module in modules] + fixed, [node._func for node in nodes]


@pytest.mark.parametrize("target", ["output", "weights"])
def test_the_loss_scale_does_not_matter(encoder, target):
    nlp = victim("medflat_ner", encoder)
    examples = gold(nlp)
    attack_it(nlp, PGD(0.5, 0.3, 2), target=target)
    expected, _ = attacked_gradients(nlp, examples)
    for scale in (1.0, 2.0**-10, 2.0**16):
        set_scaler(nlp, scale)
        scaled, _ = attacked_gradients(nlp, examples)
        equal(scaled, expected, rtol=1e-5, atol=1e-7)


def test_accumulating_parts_equals_the_whole(calm_upstream):
    nlp = victim("medflat_ner", calm_upstream)
    examples = sorted((gold(nlp) * 2)[:8], key=lambda eg: len(eg.x))
    attack_it(nlp, PGD(0.5, 0.3, 2))
    if calm_upstream:
        set_scaler(nlp, 2.0**12)
    whole, _ = attacked_gradients(nlp, examples)
    for part in (examples[:4], examples[4:]):
        nlp.update(part, sgd=False)
    assert nlp.update.schedule.step == 1
    equal(gradients(nlp), whole, rtol=1e-3, atol=1e-5)


def test_an_overflow_in_the_attack_leaves_the_clean_gradient(encoder):
    nlp = victim("medflat_ner", encoder)
    examples = gold(nlp)
    set_scaler(nlp, 2.0**4)
    clean = plain_gradients(nlp, examples)

    class TooFar(FGM):
        def start(self, gradient, rows, generator):
            return torch.full_like(gradient, float("inf"))

    attack_it(nlp, TooFar(1.0))
    ours, losses = attacked_gradients(nlp, examples)
    equal(ours, clean)
    assert nlp.update.stats.skipped == 1 and not nlp.update.stats.attacked
    assert "medflat_ner_adversarial" not in losses
    assert not any(shim._grad_scaler.found_inf for shim in _shims(nlp))


def test_an_overflow_in_the_clean_pass_is_kept(encoder):
    nlp = victim("medflat_ner", encoder)
    examples = gold(nlp)
    set_scaler(nlp, 2.0**127)
    attack_it(nlp)
    before = weights(nlp)
    nlp.update(examples, sgd=Adam(0.1))
    assert nlp.update.stats.skipped == 1
    key = next(key for key, place in owners(nlp) if isinstance(place, torch.Tensor))
    np.testing.assert_array_equal(weights(nlp)[key], before[key])


def _shims(nlp):
    return [shim for model in models(nlp) for node in model.walk() for shim in node.shims]


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_a_gradient_that_is_not_finite_is_skipped_and_counted(upstream, bad, caplog):
    nlp = victim("medflat_ner", upstream)
    examples = gold(nlp)
    attack_it(nlp)
    pipe = nlp.get_pipe("medflat_ner")
    get_loss = pipe.get_loss

    def spoil(examples, scores):
        loss, gradient = get_loss(examples, scores)
        gradient.query[0] = bad
        return loss, gradient

    pipe.get_loss = spoil
    with caplog.at_level("INFO"):
        for _ in range(21):
            clear(nlp)
            nlp.update(examples, sgd=False)
    assert nlp.update.stats.skipped == 21
    assert [record.levelname for record in caplog.records].count("INFO") == 1
    assert [record.levelname for record in caplog.records].count("WARNING") == 1


@pytest.mark.parametrize("head", HEADS)
def test_a_small_attack_raises_the_loss(head, upstream):
    nlp = victim(head, upstream)
    for target, epsilon in (("output", 0.02), ("weights", 0.01)):
        attack_it(nlp, FGM(epsilon), target=target)
        _, losses = attacked_gradients(nlp, gold(nlp))
        assert losses[f"{head}_adversarial"] > losses[head]


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: type(attack).__name__)
def test_runs_repeat(upstream, attack):
    runs = []
    for seed in (3, 3, 4):
        nlp = victim("medflat_ner", upstream)
        attack_it(nlp, attack, share=0.7, seed=seed)
        fix_random_seed(0)
        optimizer = Adam(0.01)
        for _ in range(4):
            nlp.update(gold(nlp), sgd=optimizer, drop=0.1)
        runs.append((weights(nlp), nlp.update.stats.attacked))
    equal(runs[0][0], runs[1][0])
    assert runs[0][1] == runs[1][1] < 4
    assert any((runs[0][0][key] != runs[2][0][key]).any() for key in runs[0][0])


@pytest.mark.parametrize("off", [{"share": 0.0}, {"start_step": 9}])
def test_attack_off_is_the_baseline(upstream, off):
    runs = []
    for settings in (None, off):
        nlp = victim("medflat_ner", upstream)
        if settings:
            attack_it(nlp, **settings)
        fix_random_seed(0)
        for _ in range(3):
            losses = nlp.update(gold(nlp), sgd=Adam(0.01), drop=0.1)
        runs.append((weights(nlp), losses))
    equal(runs[0][0], runs[1][0])
    assert runs[0][1] == runs[1][1]


def test_several_components_on_one_encoder_and_a_frozen_one(encoder):
    nlp = victim("medflat_ner", encoder, extra=("ner", "spancat"))
    examples = gold(nlp)
    settings = {"exclude": ["ner"], "annotates": ["medflat_ner"], "drop": 0.1}
    clean = plain_gradients(nlp, examples, **settings)
    attack_it(nlp, FGM(0.0))
    both, losses = attacked_gradients(nlp, examples, **settings)
    equal(both, {key: 2 * value for key, value in clean.items()})
    assert "ner" not in losses and {"medflat_ner_adversarial", "spancat_adversarial"} <= losses.keys()
    attack_it(nlp, FGM(0.5), components=["transformer"])
    before = weights(nlp)
    nlp.update(examples, sgd=Adam(0.01), **settings)
    changed = {key[0] for key, value in weights(nlp).items() if (value != before[key]).any()}
    assert changed == {0, 1, 3}


@pytest.mark.parametrize("given", [True, False])
def test_the_optimizer_steps_once(upstream, given):
    """The weights are those of one step along the gradient, with the optimizer passed or the pipeline's own."""
    nlp = victim("medflat_ner", upstream)
    examples = gold(nlp)
    attack_it(nlp)
    gradient, _ = attacked_gradients(nlp, examples)
    before = weights(nlp)
    rate = 0.01

    def descend(key, value, grad, lr_scale=1.0):
        value = value - rate * grad
        grad[...] = 0.0
        return value, grad

    nlp._optimizer = None if given else descend
    fix_random_seed(1)
    nlp.update(examples, sgd=descend if given else None)
    after = weights(nlp)
    for key in gradient:
        np.testing.assert_allclose(after[key], before[key] - rate * gradient[key], atol=1e-6)


def test_the_pipelines_own_optimizer_is_made():
    nlp = victim("medflat_ner")
    attack_it(nlp)
    nlp._optimizer = None
    before = weights(nlp)
    nlp.update(gold(nlp))
    assert nlp._optimizer is not None
    assert any((value != before[key]).any() for key, value in weights(nlp).items())


def test_empty_texts_are_a_plain_update(upstream):
    nlp = victim("medflat_ner", upstream)
    attack_it(nlp)
    nlp.update([], sgd=False)
    before = weights(nlp)
    nlp.update([empty(nlp)] * 2, sgd=False)
    equal(weights(nlp), before)
    assert nlp.update.stats.attacked == nlp.update.stats.skipped == 0


def test_a_batch_without_gradient_is_skipped():
    nlp = victim("ner")
    attack_it(nlp)
    nlp.update([Example(nlp.make_doc("无殊"), nlp.make_doc("无殊"))], sgd=False)
    assert nlp.update.stats.reasons == {"no gradient arrives at the embedding (nothing to learn in the batch?)": 1}


def test_wrong_arguments_are_spacys_business():
    nlp = victim("medflat_ner")
    attack_it(nlp)
    with pytest.raises(ValueError, match="E989"):
        nlp.update(gold(nlp), [1])
    with pytest.raises(TypeError):
        nlp.update(["text"])


def test_nothing_stays(upstream, tmp_path):
    nlp = victim("medflat_ner", upstream)
    twin = nlp.to_bytes()
    attack_it(nlp)
    attack_it(nlp)  # initialized again: not wrapped twice
    assert nlp.update.original == type(nlp).update.__get__(nlp)
    assert nlp.to_bytes() == twin
    nlp.to_disk(tmp_path / "saved")
    for other in (copy.deepcopy(nlp), pickle.loads(pickle.dumps(nlp))):
        assert other.update.__func__ is type(nlp).update and other.update.__self__ is other
    assert len(list(nlp.pipe(["右肺上叶腺癌"] * 4, n_process=2, batch_size=2))) == 4
    assert "update" not in unwrap(nlp).__dict__
    assert "update" not in unwrap(nlp).__dict__


def test_unwrapping_leaves_the_update_of_others():
    nlp = victim("medflat_ner")
    inner = nlp.update

    def other(*args, **kwargs):
        return inner(*args, **kwargs)

    nlp.update = other
    attack_it(nlp)
    nlp.update(gold(nlp), sgd=False)
    assert unwrap(nlp).update is other
