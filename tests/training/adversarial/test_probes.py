import numpy as np
import pytest
import torch
from thinc.layers import Embed

from spacy_medflat.training.adversarial.attacks import FGM
from spacy_medflat.training.adversarial.probes import SkipError, make_probe

IDS = torch.tensor([[1, 2, 3], [2, 0, 0]])


@pytest.fixture
def table():
    torch.manual_seed(0)
    return torch.nn.Embedding(4, 5, padding_idx=0)


@pytest.fixture
def layer():
    layer = Embed(5, 4)
    layer.initialize()
    return layer


def delta_of(capture):
    return FGM(1.0).start(capture.gradient, capture.rows, torch.Generator())


def test_padding_is_not_perturbed_though_it_has_a_gradient(table):
    probe = make_probe(table, "output")
    with probe.attached(None):
        table(IDS).sum().backward()
    (capture,) = probe.captures([3, 1], "text")
    assert capture.rows.real.tolist() == [True, True, True, True, False, False]
    delta = delta_of(capture).reshape(2, 3, 5)
    assert not delta[1, 1:].any()
    torch.testing.assert_close(delta.square().sum((1, 2)), torch.ones(2))
    with probe.attached([delta.reshape(6, 5)]):
        torch.testing.assert_close(table(input=IDS), table.weight[IDS] + delta)
    assert torch.equal(table(IDS), table.weight[IDS])


def test_predictions_are_not_perturbed(table, layer):
    probe = make_probe(table, "output")
    with probe.attached([torch.ones(6, 5)]), torch.no_grad():
        assert torch.equal(table(IDS), table.weight[IDS])
    ids = layer.ops.asarray1i([1, 2])
    with make_probe(layer, "output").attached([torch.ones(2, 5)]):
        np.testing.assert_array_equal(layer.predict(ids), layer.get_param("E")[ids])
        np.testing.assert_array_equal(layer.begin_update(ids)[0], layer.get_param("E")[ids] + 1.0)
    np.testing.assert_array_equal(layer.begin_update(ids)[0], layer.get_param("E")[ids])


def test_each_call_has_its_own_perturbation(table, layer):
    probe = make_probe(table, "output")
    with probe.attached(None):
        (2 * table(IDS).sum() + 3 * table(IDS[:1]).sum()).backward()
    first, second = probe.captures([3, 1], "text")
    assert first.gradient.unique().tolist() == [2.0] and second.gradient.unique().tolist() == [3.0]
    with probe.attached([torch.ones(6, 5), 2 * torch.ones(3, 5)], capture=False):
        assert torch.equal(table(IDS), table.weight[IDS] + 1)
        assert torch.equal(table(IDS[:1]), table.weight[IDS[:1]] + 2)
        with pytest.raises(SkipError, match="called in another way"):
            table(IDS)


def test_an_output_of_another_shape_is_not_perturbed(table, layer):
    with make_probe(table, "output").attached([torch.ones(6, 5)]), pytest.raises(SkipError):
        table(IDS[:1])
    with make_probe(layer, "output").attached([torch.ones(6, 5)]), pytest.raises(SkipError):
        layer.begin_update(layer.ops.asarray1i([1]))


def test_a_call_without_gradient_has_no_perturbation(table):
    probe = make_probe(table, "output")
    with probe.attached(None):
        table(IDS)
    assert probe.captures([3, 1], "text") == []
    with probe.attached(None):
        table(IDS)
        table(IDS).sum().backward()
    first, second = probe.captures([3, 1], "text")
    assert not delta_of(first).any() and delta_of(second).any()


def test_the_gradient_is_kept_as_it_arrived(layer):
    """thinc's layers multiply it by their dropout mask, in place."""
    probe = make_probe(layer, "output")
    with probe.attached(None):
        output, backprop = layer.begin_update(layer.ops.asarray1i([1, 2]))
        gradient = np.ones_like(output)
        backprop(gradient)
    gradient[...] = 7.0
    (capture,) = probe.captures([2], "text")
    assert capture.gradient.unique().tolist() == [1.0]


def test_weights_are_perturbed_for_a_pass_in_rows_of_the_batch(table, layer):
    own, data = table.weight.detach().clone(), table.weight.data_ptr()
    probe = make_probe(table, "weights")
    with probe.attached(None):
        table(IDS).sum().backward()
    (capture,) = probe.captures([], "tensor")
    assert capture.rows.real.tolist() == [False, True, True, True]
    delta = delta_of(capture)
    with probe.attached([delta]):
        assert torch.equal(table.weight, own + delta)
    assert torch.equal(table.weight, own) and table.weight.data_ptr() == data
    array = layer.get_param("E")
    probe = make_probe(layer, "weights")
    assert probe.captures([], "tensor") == []
    with pytest.raises(RuntimeError), probe.attached([torch.ones(4, 5)]):
        np.testing.assert_array_equal(layer.get_param("E"), array + 1.0)
        raise RuntimeError
    assert layer.get_param("E") is array
