import gc

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose
from spacy.util import registry
from thinc.api import PyTorchWrapper

from spacy_medflat.training.optimizer.layerwise import create_layerwise_adamw

ENCODER = ["embeddings.word_embeddings.weight", "encoder.layer.11.output.dense.weight", "pooler.dense.bias"]
HEAD = ["pair.weight", "bias.bias", "W", "layer.encoder.weight"]


def reference(weights, gradients, rate, decay):
    parameter = torch.nn.Parameter(torch.tensor(weights))
    optimizer = torch.optim.AdamW([parameter], lr=rate, weight_decay=decay)
    for gradient in gradients:
        parameter.grad = torch.tensor(gradient)
        optimizer.step()
    return parameter.detach().numpy()


@pytest.mark.parametrize("name", ENCODER + HEAD)
def test_steps_equal_adamw_with_the_rate_of_the_group(name):
    generator = np.random.default_rng(0)
    weights = generator.normal(size=(3, 4)).astype("f")
    gradients = [generator.normal(size=(3, 4)).astype("f") for _ in range(5)]
    optimizer = create_layerwise_adamw(encoder_rate=0.01, head_rate=0.1, grad_clip=0.0, weight_decay=0.2)
    ours = weights.copy()
    for gradient in gradients:
        ours, rest = optimizer((7, name), ours, gradient.copy())
        assert not rest.any()
    rate, decay = (0.01 if name in ENCODER else 0.1), (0.0 if name.endswith("bias") else 0.2)
    assert_allclose(ours, reference(weights, gradients, rate, decay), rtol=1e-5)


def test_a_long_gradient_is_clipped():
    small, large = np.full((1, 2), 0.1, "f"), np.full((1, 2), 1e6, "f")
    optimizer = create_layerwise_adamw(encoder_rate=0.1, head_rate=0.1, grad_clip=1.0)
    optimizer((1, "W"), np.zeros((1, 2), "f"), large)
    mean = optimizer.moments[1, "W"][0]
    assert_allclose(mean.norm().item(), 0.1, rtol=1e-4)
    optimizer((2, "W"), np.zeros((1, 2), "f"), small.copy())
    assert_allclose(optimizer.moments[2, "W"][0].numpy(), 0.1 * small, rtol=1e-5)


def test_both_rates_follow_their_schedules():
    def schedule(rate):
        return registry.schedules.get("warmup_linear.v1")(initial_rate=rate, warmup_steps=2, total_steps=4)

    optimizer = create_layerwise_adamw(encoder_rate=schedule(0.1), head_rate=schedule(1.0))
    rates = []
    for _ in range(5):
        rates.append((optimizer.encoder_rate, optimizer.learn_rate))
        optimizer.step_schedules()
    assert_allclose(rates, [(0.0, 0.0), (0.05, 0.5), (0.1, 1.0), (0.05, 0.5), (0.0, 0.0)])


def test_a_list_is_a_schedule_whose_last_value_stays():
    optimizer = create_layerwise_adamw(encoder_rate=[0.1, 0.2], head_rate=[1.0, 0.5])
    for _ in range(3):
        optimizer.step_schedules()
    assert (optimizer.encoder_rate, optimizer.learn_rate) == (0.2, 0.5)


def test_the_name_resolves():
    assert registry.optimizers.get("spacy_medflat.LayerwiseAdamW.v1") is create_layerwise_adamw


def test_steps_keep_no_tensors_alive():
    """thinc turns what comes back into a tensor, and that into an array again: a chain, if nobody cuts it."""
    layer = PyTorchWrapper(torch.nn.Linear(3, 2))
    optimizer = create_layerwise_adamw(encoder_rate=0.1, head_rate=0.1)
    alive = []
    for _ in range(6):
        output, backprop = layer.begin_update(np.ones((1, 3), "f"))
        backprop(output)
        layer.finish_update(optimizer)
        gc.collect()
        alive.append(sum(isinstance(thing, torch.Tensor) for thing in gc.get_objects()))
    assert alive[-1] == alive[2]


def test_weights_that_are_replaced_are_followed():
    optimizer = create_layerwise_adamw(encoder_rate=0.1, head_rate=0.1)
    optimizer((1, "W"), np.zeros((1, 2), "f"), np.ones((1, 2), "f"))
    other = np.full((1, 2), 5.0, "f")
    assert optimizer((1, "W"), other, np.ones((1, 2), "f"))[0] is other


NAMES = [
    "embeddings.word_embeddings.weight",
    "encoder.layer.0.attention.self.query.weight",
    "encoder.layer.0.attention.self.query.bias",
    "encoder.layer.1.output.LayerNorm.weight",
    "encoder.layer.2.output.dense.weight",
    "pooler.dense.weight",
    "head.weight",
]
LOWER = [0.125, 0.25, 0.25, 0.5, 1.0, 1.0]
HIGHER = [1.0, 1.0, 1.0, 0.5, 0.25, 0.25]


class Module(torch.nn.Module):
    """A module with parameters of the names above."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        for name in NAMES:
            *path, last = name.split(".")
            place = self
            for part in path:
                if not hasattr(place, part):
                    place.add_module(part, torch.nn.Module())
                place = getattr(place, part)
            place.register_parameter(last, torch.nn.Parameter(torch.randn(3, 2)))


def give_gradients(module, step, without=()):
    for i, (name, parameter) in enumerate(module.named_parameters()):
        gradient = torch.randn(3, 2, generator=torch.Generator().manual_seed(100 * step + i))
        parameter.grad = None if name in without else gradient


@pytest.mark.parametrize("end_steps", [True, False], ids=["with step_schedules", "without"])
@pytest.mark.parametrize(("inverted", "factors"), [(False, LOWER), (True, HIGHER)], ids=["lower", "inverted"])
def test_layer_decay_equals_torch_with_param_groups(inverted, factors, end_steps):
    module, other = Module(), Module()
    layer = PyTorchWrapper(module)
    ours = create_layerwise_adamw(
        encoder_rate=0.01, head_rate=0.1, weight_decay=0.2, layer_decay=0.5, inverted_decay=inverted
    )
    rates = dict(zip(NAMES, [0.01 * factor for factor in factors] + [0.1], strict=True))
    groups = [
        {"params": [parameter], "lr": rates[name], "weight_decay": 0.0 if "bias" in name or "Norm" in name else 0.2}
        for name, parameter in other.named_parameters()
    ]
    theirs = torch.optim.AdamW(groups)
    for step in range(3):
        without = ["pooler.dense.weight"] if step < 2 else []
        give_gradients(module, step, without)
        give_gradients(other, step, without)
        layer.finish_update(ours)
        if end_steps:
            ours.step_schedules()
        theirs.step()
    ours.step_schedules()
    for (name, one), two in zip(module.named_parameters(), other.parameters(), strict=True):
        assert_allclose(one.detach(), two.detach(), rtol=1e-5, atol=1e-7, err_msg=name)


def test_the_first_update_is_held_back_until_the_depth_is_known():
    optimizer = create_layerwise_adamw(encoder_rate=0.1, head_rate=0.1, layer_decay=0.5, weight_decay=0.0)
    low, high, head = (np.zeros((2, 2), "f") for _ in range(3))
    gradient = np.ones((2, 2), "f")
    optimizer((1, "encoder.layer.0.output.dense.weight"), low, gradient)
    assert not low.any() and not gradient.any()
    optimizer((1, "encoder.layer.3.output.dense.weight"), high, np.ones((2, 2), "f"))
    optimizer((2, "head.weight"), head, np.ones((2, 2), "f"))
    assert_allclose([low[0, 0], high[0, 0], head[0, 0]], [-0.0125, -0.1, -0.1], rtol=1e-5)


def test_without_layer_decay_nothing_is_held_back():
    optimizer = create_layerwise_adamw(encoder_rate=0.1, head_rate=0.1)
    weights = np.zeros((2, 2), "f")
    optimizer((1, "encoder.layer.0.output.dense.weight"), weights, np.ones((2, 2), "f"))
    assert weights.all()


def test_the_groups_are_printed_once(caplog, monkeypatch):
    monkeypatch.setattr("spacy.util.logger.propagate", True)
    layer = PyTorchWrapper(Module())
    optimizer = create_layerwise_adamw(encoder_rate=0.1, head_rate=0.1, layer_decay=0.5)
    with caplog.at_level("INFO", logger="spacy"):
        for step in range(2):
            give_gradients(layer.shims[0]._model, step)
            layer.finish_update(optimizer)
            optimizer.step_schedules()
    assert caplog.text.count("Parameter groups") == 1
    assert "encoder embeddings: 1 tensors, 6 values, rate x 0.125, weight decay 0.01" in caplog.text
    assert "encoder layer 0: 1 tensors, 6 values, rate x 0.25, weight decay 0\n" in caplog.text
    assert "encoder layer 2: 2 tensors, 12 values, rate x 1, weight decay 0.01" in caplog.text
    assert "head: 1 tensors, 6 values" in caplog.text


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"encoder_rate": -0.1}, "encoder_rate must be at least 0 and finite.* -0.1"),
        ({"head_rate": float("nan")}, "head_rate must be at least 0.* nan"),
        ({"beta1": 1.0}, "beta1 must be at least 0 and less than 1, but it is 1.0"),
        ({"beta2": -0.5}, "beta2"),
        ({"eps": 0.0}, "eps must be greater than 0"),
        ({"weight_decay": -1.0}, "weight_decay"),
        ({"grad_clip": -1.0}, "grad_clip"),
        ({"layer_decay": 0.0}, "layer_decay"),
        ({"layer_decay": 1.2}, "layer_decay must be .* at most 1: .*inverted_decay.* 1.2"),
        ({"inverted_decay": True}, "less than 1 with inverted_decay"),
        ({"average_decay": 1.0}, "average_decay"),
    ],
)
def test_settings_out_of_range(settings, message):
    with pytest.raises(ValueError, match=message):
        create_layerwise_adamw(**{"encoder_rate": 0.1, "head_rate": 0.1, **settings})


def test_a_schedule_below_zero():
    optimizer = create_layerwise_adamw(encoder_rate=0.1, head_rate=[0.1, -0.1])
    weights = np.zeros((2, 2), "f")
    optimizer((1, "W"), weights, np.ones((2, 2), "f"))
    optimizer.step_schedules()
    with pytest.raises(ValueError, match=r"head_rate must be .* -0.1"):
        optimizer((1, "W"), weights, np.ones((2, 2), "f"))
