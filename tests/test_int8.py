import copy
import logging

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from spacy_medflat import int8
from spacy_medflat.errors import MedflatError
from spacy_medflat.int8 import Int8Layer, compressible, int8_names, int8_of, make_room, replace_layer

needs_kernels = pytest.mark.skipif(not int8.has_int8_kernels(), reason="no x86 CPU with AVX2")


@pytest.fixture
def no_kernels(monkeypatch):
    monkeypatch.setattr(int8, "has_int8_kernels", lambda: False)
    int8._warn_once.cache_clear()


def linear(n_in=64, n_out=48, bias=True, seed=0):
    torch.manual_seed(seed)
    return nn.Linear(n_in, n_out, bias=bias).eval()


@torch.no_grad()
def error_of(layer, made, x):
    return float((made(x) - layer(x)).norm() / layer(x).norm())


@pytest.mark.parametrize("bias", [True, False])
def test_a_linear_layer_gives_nearly_the_same(bias):
    layer = linear(bias=bias)
    # Tokens whose values are a hundred times larger are no reason to read the others coarsely.
    x = torch.randn(3, 7, 64) * torch.tensor([0.1, 1.0, 100.0])[:, None, None]
    made = int8_of(layer)
    assert made(x).shape == (3, 7, 48)
    for row in x:
        assert error_of(layer, made, row) < 0.02


@needs_kernels
@given(seed=st.integers(0, 99), n=st.integers(1, 40))
def test_a_vector_gives_the_same_whatever_is_in_the_batch(seed, n):
    made = int8_of(linear(seed=seed))
    x = torch.randn(n, 64, generator=torch.Generator().manual_seed(seed))
    assert torch.equal(made(x)[-1:], made(x[-1:]))


@needs_kernels
def test_the_largest_products_do_not_overflow():
    layer = nn.Linear(256, 4, bias=False).eval()
    nn.init.constant_(layer.weight, 1.0)
    made = int8_of(layer)
    assert made(torch.ones(1, 256))[0].tolist() == pytest.approx([256.0] * 4)
    assert made(-torch.ones(1, 256))[0].tolist() == pytest.approx([-256.0] * 4)


def test_nothing_and_zeros():
    made = int8_of(linear())
    assert made(torch.zeros(2, 0, 64)).shape == (2, 0, 48)
    with torch.no_grad():
        assert torch.allclose(made(torch.zeros(1, 64)), linear().bias)
    made.round_off(torch.zeros(48, 64))
    assert torch.equal(made.float_weight(), torch.zeros(48, 64))


def test_an_embedding_gives_nearly_the_same():
    layer = nn.Embedding(30, 64)
    made, ids = int8_of(layer), torch.tensor([[3, 29], [0, 3]])
    with torch.no_grad():
        assert torch.allclose(made(ids), layer(ids), atol=float(layer.weight.detach().abs().max()) / 126 + 1e-6)


def test_without_kernels_it_computes_in_float32_and_says_so_once(no_kernels, caplog):
    layer, x = linear(), torch.randn(5, 64)
    with caplog.at_level(logging.WARNING, logger="spacy"):
        errors = [error_of(layer, int8_of(layer), x) for _ in range(2)]
    assert max(errors) < 0.02
    assert len([record for record in caplog.records if "AVX2" in record.message]) == 1


@needs_kernels
def test_with_kernels_and_without_it_finds_the_same(monkeypatch):
    made, x = int8_of(linear()), torch.randn(9, 64)
    with_kernels = made(x)
    monkeypatch.setattr(int8, "has_int8_kernels", lambda: False)
    assert torch.allclose(copy.deepcopy(made)(x), with_kernels, atol=0.03)


def test_it_refuses_to_be_trained():
    for made, x in ((int8_of(linear()), torch.randn(1, 64)), (int8_of(nn.Embedding(9, 64)), torch.tensor([1]))):
        with pytest.raises(MedflatError, match="this pipeline is compressed"):
            made.train()(x)
        with torch.no_grad():
            made(x)


class Reader(nn.Module):
    reads_weights = True

    def __init__(self):
        super().__init__()
        self.own = nn.Linear(200, 200)


def module():
    return nn.ModuleDict(
        {
            "table": nn.Embedding(2000, 100),
            "small_table": nn.Embedding(100, 100),
            "layers": nn.Sequential(nn.Linear(200, 200), nn.LayerNorm(200), nn.Linear(200, 3)),
            "reader": Reader(),
        }
    )


def test_layers_are_chosen_by_kind_and_size():
    assert compressible(module()) == ["table", "layers.0"]


def test_saved_weights_fit_where_room_is_made():
    first, second = module(), module()
    for name in compressible(first):
        replace_layer(first, name, int8_of(first.get_submodule(name)))
    make_room(second, int8_names(first))
    second.load_state_dict(first.state_dict())
    x = torch.randn(2, 200)
    with torch.no_grad():
        assert torch.equal(first["layers"].eval()(x), second["layers"].eval()(x))
    assert all(second.get_submodule(name).weight.dtype == torch.int8 for name in ("table", "layers.0"))


@pytest.mark.parametrize("name", ["nowhere", "layers.1"])
def test_room_for_what_is_not_there(name):
    with pytest.raises(ValueError, match=f"an 8-bit layer '{name}' is saved"):
        make_room(module(), [name])


def test_a_copy_computes_the_same():
    made, x = int8_of(linear()), torch.randn(2, 64)
    expected = made(x)
    assert np.array_equal(copy.deepcopy(made)(x), expected)
    assert isinstance(made, Int8Layer)
