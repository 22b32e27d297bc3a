import numpy as np
import pytest
import torch
from thinc.api import Linear, PyTorchWrapper, chain

from spacy_medflat.training.adversarial.gradients import Parameters, add, are_finite, are_zero

from ..victims import victim


class Pipe:
    def __init__(self, model):
        self.model = model


def test_a_remote_parameter_server_is_an_error():
    nlp = victim("textcat")
    next(iter(nlp.get_pipe("textcat").model.walk()))._params.proxy = object()
    with pytest.raises(ValueError, match="parameter server"):
        Parameters(nlp.pipeline)


@pytest.fixture
def waiting():
    """A torch module in two shims and a thinc layer, with gradients, and their parameters."""
    module, layer = torch.nn.Linear(2, 2), Linear(2, 2).initialize()
    module.weight.grad, module.bias.grad = torch.ones(2, 2), torch.zeros(2)
    layer.set_grad("W", np.ones((2, 2), "f"))
    model = chain(PyTorchWrapper(module), PyTorchWrapper(module), layer)
    return module, layer, Parameters([("c", Pipe(model))])


def test_gradients_are_taken_and_put_back_and_a_shared_tensor_counts_once(waiting):
    module, layer, parameters = waiting
    assert parameters.any_waiting()
    taken = parameters.take()
    assert len(taken) == 3 and not parameters.any_waiting()
    assert module.weight.grad is None and not layer.has_grad("W")
    add(taken, dict(taken), 2.0)
    parameters.put(taken)
    assert (module.weight.grad == 3.0).all() and (layer.get_grad("W") == 3.0).all()
    assert not module.bias.grad.any() and not layer.has_grad("b")


def test_what_is_set_aside_comes_back_after_an_error_only(waiting):
    module, layer, parameters = waiting
    with pytest.raises(KeyError), parameters.set_aside():
        assert module.weight.grad is None and module.bias.grad is not None and not layer.has_grad("W")
        raise KeyError
    assert (module.weight.grad == 1.0).all() and not module.bias.grad.any() and (layer.get_grad("W") == 1.0).all()
    with parameters.set_aside() as waiting:
        pass
    assert module.weight.grad is None and sorted(value is None for value in waiting.values()) == [False, False, True]


@pytest.mark.parametrize("as_array", [torch.from_numpy, np.asarray])
def test_zero_and_finite(as_array):
    big = np.full(4, 3e38, "f")
    for values, zero, finite in (
        (np.zeros((2, 2), "f"), True, True),
        (np.array([0.0, 1e-40], "f"), False, True),
        (np.array([np.nan, 0.0], "f"), False, False),
        (np.array([np.inf, -np.inf], "f"), False, False),
        (big, False, True),
        (np.zeros((0, 3), "f"), True, True),
    ):
        with np.errstate(over="ignore", invalid="ignore"):
            assert (*are_zero([as_array(values)]), are_finite([as_array(values)])) == (zero, finite)
