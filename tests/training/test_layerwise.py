import gc

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose
from spacy.util import registry
from thinc.api import PyTorchWrapper

from spacy_medflat.training.layerwise import create_layerwise_adamw

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
    mean = optimizer._state[1, "W"][0]
    assert_allclose(mean.norm().item(), 0.1, rtol=1e-4)
    optimizer((2, "W"), np.zeros((1, 2), "f"), small.copy())
    assert_allclose(optimizer._state[2, "W"][0].numpy(), 0.1 * small, rtol=1e-5)


def test_both_rates_follow_their_schedules():
    def schedule(rate):
        return registry.schedules.get("warmup_linear.v1")(initial_rate=rate, warmup_steps=2, total_steps=4)

    optimizer = create_layerwise_adamw(encoder_rate=schedule(0.1), head_rate=schedule(1.0))
    rates = []
    for _ in range(5):
        rates.append((optimizer.encoder_rate, optimizer.learn_rate))
        optimizer.step_schedules()
    assert_allclose(rates, [(0.0, 0.0), (0.05, 0.5), (0.1, 1.0), (0.05, 0.5), (0.0, 0.0)])


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
