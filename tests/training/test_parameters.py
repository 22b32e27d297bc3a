import numpy as np
import pytest
import torch
from thinc.api import Linear, PyTorchWrapper, chain

from spacy_medflat.training.parameters import find_parameters, walk_modules, walk_nodes


class Pipe:
    def __init__(self, model):
        self.model = model


@pytest.fixture
def pipes():
    linear, wrapped = Linear(2, 2), PyTorchWrapper(torch.nn.Linear(2, 2))
    return [("a", Pipe(chain(wrapped, linear))), ("b", Pipe(linear)), ("without", object())]


def test_places_are_components_and_numbers(pipes):
    assert [place for place, _ in walk_nodes(pipes)] == ["a/0", "a/1", "a/2", "b/0"]
    assert [(place, type(module)) for place, _, module in walk_modules(pipes)] == [("a/1.0", torch.nn.Linear)]


def test_each_parameter_is_found_once_under_the_key_of_the_optimizer(pipes):
    model, linear = pipes[0][1].model, pipes[1][1].model
    (shim,) = model.layers[0].shims
    assert {key: found.name for key, found in find_parameters(pipes).items()} == {
        (shim.id, "weight"): "a/1.0/weight",
        (shim.id, "bias"): "a/1.0/bias",
    }
    linear.initialize()
    assert find_parameters(iter(pipes))[linear.id, "W"].name == "a/2/W"
    assert len(find_parameters(pipes)) == 4


def test_values_and_gradients_are_those_of_the_parameter(pipes):
    linear = pipes[1][1].model.initialize()
    for found in find_parameters(pipes).values():
        assert found.gradient is None
        found.gradient = found.zeros()
        assert found.gradient.shape == found.array.shape and not found.gradient.any()
        found.gradient = None
        found.array[...] = 3.0
        assert found.gradient is None
    (module,) = (module for _, _, module in walk_modules(pipes))
    assert (module.weight == 3.0).all() and np.all(linear.get_param("b") == 3.0)
