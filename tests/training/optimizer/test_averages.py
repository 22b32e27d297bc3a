"""The average of weights: what it is, and that `spacy train` evaluates and saves it and trains without it."""

import copy
import pickle

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose
from spacy.cli.train import train as spacy_train
from spacy.language import Language
from spacy.training import loop
from thinc.api import PyTorchWrapper

from spacy_medflat.training.optimizer.layerwise import create_layerwise_adamw
from spacy_medflat.training.resume.state import dump_weights

from ...pipelines import cnn_pipeline, make_examples
from ..runs import ADAMW, assert_equal_weights, saved_weights, transformer_config, write_config


@pytest.fixture(scope="module", params=["transformer", "cnn"])
def kind(request):
    return request.param


def config_of(kind, folder, **optimizer):
    optimizer = {**ADAMW, **optimizer}
    if kind == "transformer":
        return transformer_config(folder, optimizer=optimizer)
    return write_config(folder, cnn_pipeline(), optimizer=optimizer)


def trained(monkeypatch, config, output):
    """Train, and record the weights of the pipeline before the first and after each step."""
    seen = []
    steps = loop.train_while_improving

    def recorded(nlp, *args, **kwargs):
        seen.append({name: array.copy() for name, array in dump_weights(nlp).items()})
        for item in steps(nlp, *args, **kwargs):
            seen.append({name: array.copy() for name, array in dump_weights(nlp).items()})
            yield item

    with monkeypatch.context() as patch:
        patch.setattr(loop, "train_while_improving", recorded)
        spacy_train(config, output)
    return seen


def average(seen, decay):
    """The average, computed apart; a parameter that never moves has itself."""
    values = {name: array.astype("d") for name, array in seen[0].items()}
    for t, weights in enumerate(seen[1:], start=1):
        d = min(decay, (1 + t) / (10 + t))
        values = {name: d * value + (1 - d) * weights[name] for name, value in values.items()}
    return values


def test_spacy_train_saves_the_average_and_trains_without_it(kind, monkeypatch, tmp_path):
    with_average = trained(monkeypatch, config_of(kind, tmp_path / "a"), tmp_path / "averaged")
    without = trained(monkeypatch, config_of(kind, tmp_path / "b", average_decay=0.0), tmp_path / "raw")
    assert len(with_average) == len(without) == 14
    for one, two in zip(with_average, without, strict=True):
        assert_equal_weights(one, two)
    saved, expected = saved_weights(tmp_path / "averaged" / "model-last"), average(with_average, 0.9)
    assert saved.keys() == expected.keys()
    moved = 0
    for name, value in expected.items():
        assert_allclose(saved[name], value, rtol=1e-4, atol=1e-6, err_msg=name)
        moved += not np.allclose(saved[name], without[-1][name], rtol=1e-3, atol=1e-5)
    assert moved > len(expected) / 2
    assert_equal_weights(saved_weights(tmp_path / "raw" / "model-last"), without[-1])
    best = saved_weights(tmp_path / "averaged" / "model-best")
    candidates = [average(with_average[: step + 2], 0.9) for step in (0, 5, 10)]
    assert any(all(np.allclose(best[name], value[name], 1e-4, 1e-6) for name in best) for value in candidates)


def test_evaluation_sees_the_average(monkeypatch, tmp_path):
    config = config_of("transformer", tmp_path)
    evaluated = []
    evaluate = Language.evaluate

    def recorded(nlp, *args, **kwargs):
        evaluated.append({name: array.copy() for name, array in dump_weights(nlp).items()})
        return evaluate(nlp, *args, **kwargs)

    monkeypatch.setattr(Language, "evaluate", recorded)
    seen = trained(monkeypatch, config, tmp_path / "out")
    for weights, step in zip(evaluated, (0, 5, 10), strict=True):
        for name, value in average(seen[: step + 2], 0.9).items():
            assert_allclose(weights[name], value, rtol=1e-4, atol=1e-6, err_msg=name)


def stepped(average_decay=0.5, steps=3):
    nlp = cnn_pipeline()
    examples = make_examples(nlp)
    nlp.initialize(lambda: examples)
    optimizer = create_layerwise_adamw(0.01, 0.01, average_decay=average_decay)
    for _ in range(steps):
        nlp.update(examples, sgd=optimizer)
        optimizer.step_schedules()
    return nlp, optimizer


def copied(nlp):
    return {name: array.copy() for name, array in dump_weights(nlp).items()}


def test_an_error_inside_gives_the_weights_back():
    nlp, optimizer = stepped()
    before = copied(nlp)
    with pytest.raises(KeyError), nlp.use_params(optimizer.averages):
        averaged = copied(nlp)
        raise KeyError
    assert_equal_weights(copied(nlp), before)
    with nlp.use_params(optimizer.averages):
        assert_equal_weights(copied(nlp), averaged)
        with nlp.use_params(optimizer.averages):
            assert_equal_weights(copied(nlp), averaged)
        assert_equal_weights(copied(nlp), averaged)
    assert_equal_weights(copied(nlp), before)
    assert any(not np.array_equal(before[name], averaged[name]) for name in before)


def test_by_hand_with_a_parameter_that_has_no_gradient():
    module = torch.nn.Module()
    module.a, module.b = torch.nn.Parameter(torch.ones(2)), torch.nn.Parameter(torch.ones(2))
    module.register_buffer("count", torch.tensor(3))
    layer = PyTorchWrapper(module)
    optimizer = create_layerwise_adamw(0.1, 0.1, average_decay=0.25)
    expected = module.a.detach().clone()
    for decay in (2 / 11, 3 / 12, 0.25):
        module.a.grad = torch.ones(2)
        layer.finish_update(optimizer)
        optimizer.step_schedules()
        expected = decay * expected + (1 - decay) * module.a.detach()
    raw = module.a.detach().clone()
    with optimizer.averages.swapped_in():
        assert_allclose(module.a.detach(), expected, rtol=1e-6)
        assert_allclose(module.b.detach(), 1.0)
    assert torch.equal(module.a.detach(), raw) and len(optimizer.averages.values) == 1


def test_before_any_step_the_weights_stand():
    optimizer = create_layerwise_adamw(0.1, 0.1, average_decay=0.9)
    assert not optimizer.averages
    nlp, _ = stepped(average_decay=0.0)
    before = copied(nlp)
    with nlp.use_params(optimizer.averages):
        assert_equal_weights(copied(nlp), before)


def test_where_it_cannot_act_it_says_so():
    nlp, optimizer = stepped()
    model = nlp.get_pipe("medflat_ner").model
    other, _ = stepped(average_decay=0.0)
    for owner in (model, other):
        with pytest.raises(TypeError, match=r"nlp\.use_params"), owner.use_params(optimizer.averages):
            pass


def test_averages_of_others_work_as_before():
    nlp, _ = stepped()
    parameters = {
        (node.id, name): node.get_param(name) * 0
        for node in nlp.get_pipe("medflat_ner").model.walk()
        for name in node.param_names
    }
    before = copied(nlp)
    with nlp.use_params(parameters):
        inside = copied(nlp)
    assert_equal_weights(copied(nlp), before)
    assert not any(inside[name].any() for name in inside if name.endswith(("/W", "/E")))
    with nlp.use_params(None), nlp.use_params({}):
        assert_equal_weights(copied(nlp), before)


def test_only_the_pipeline_that_is_trained_has_a_use_params_of_its_own():
    original = Language.use_params
    other, _ = stepped(average_decay=0.0)
    nlp, optimizer = stepped()
    assert Language.use_params is original
    assert "use_params" in nlp.__dict__ and "use_params" not in other.__dict__
    for twin in (copy.deepcopy(nlp), pickle.loads(pickle.dumps(nlp))):
        assert twin.use_params.__func__ is original and twin.use_params.__self__ is twin
    data = nlp.to_bytes()
    with nlp.use_params(optimizer.averages):
        assert nlp.to_bytes() != data
    assert nlp.to_bytes() == data


def test_without_averages_there_are_none():
    assert create_layerwise_adamw(0.1, 0.1).averages is None
