"""FLAT and the heads: what a device computes is what a CPU computes."""

from copy import deepcopy

import numpy as np
import pytest
import torch

from spacy_medflat.flat.batch import DocWords, cut_windows, pack_parts
from spacy_medflat.flat.model import FlatTexts
from spacy_medflat.flat.settings import FlatSettings
from spacy_medflat.ner.pointer import EfficientGlobalPointer, GlobalPointer
from spacy_medflat.ner.pointer_head import PointerHead
from spacy_medflat.ner.spans import GoldSpans, UnknownSpans
from spacy_medflat.ner.tagging import LinearNestedHead, TagScores

from .devices import assert_close

CPU = torch.device("cpu")
LABELS = ("dis", "sym", "bod")
LENGTHS = np.array([70, 0, 1, 33, 9])
N_IN = 12
# Of FLAT, whose windows are of 16.
TEXTS = [35, 1, 12, 9]


def _gold(head):
    """What the head can learn of some gold."""
    rows = [(0, 0, 3, 0), (0, 1, 2, 2), (0, 60, 70, 1), (2, 0, 1, 1), (3, 5, 8, 0), (3, 20, 24, 2), (4, 2, 5, 1)]
    unknown = [(0, 30, 34, 0), (3, 10, 12, 1)]
    gold = GoldSpans(
        *np.array(rows).T,
        annotated=np.array([True, True, True, True, False]),
        unknown=UnknownSpans(*np.array(unknown).T),
        weight=np.array([1.0, 1.0, 0.5, 2.0, 1.0]),
    )
    (lost,) = head.out_of_reach(gold, LABELS).values()
    return gold.take(~lost)


HEADS = {
    "efficient": (lambda: EfficientGlobalPointer(N_IN, 3, 8), PointerHead(20)),
    "global": (lambda: GlobalPointer(N_IN, 3, 8), PointerHead(20)),
}
for crf in (True, False):
    tagging = LinearNestedHead((("sym",),), crf)
    sizes = tagging.sizes(LABELS)
    HEADS[f"tags, crf {crf}"] = (lambda sizes=sizes: TagScores(N_IN, **sizes), tagging)


def _learnt(module, head, x):
    """The loss, its gradients at the vectors and the weights, and the candidates."""
    x = x.clone().requires_grad_()
    features = module(x)
    loss, gradient = head.loss(type(features)(*(f.detach() for f in features)), LENGTHS, _gold(head), LABELS)
    pairs = [(f, d) for f, d in zip(features, gradient, strict=True) if f.requires_grad]
    outputs, arriving = zip(*pairs, strict=True)
    arrived = torch.autograd.grad(outputs, [x, *module.parameters()], arriving, allow_unused=True)
    with torch.no_grad():
        found = head.candidates(module(x.detach()), LENGTHS, np.full(3, -2.5), LABELS)
    return loss, arrived, found


@pytest.mark.parametrize("name", HEADS)
def test_heads(device, name):
    make, head = HEADS[name]
    torch.manual_seed(0)
    module, x = make(), torch.randn(int(LENGTHS.sum()), N_IN)
    loss, gradients, found = _learnt(deepcopy(module).to(device), head, x.to(device))
    wanted_loss, wanted_gradients, wanted = _learnt(module, head, x)
    assert loss == pytest.approx(wanted_loss, rel=1e-4)
    for ours, theirs in zip(gradients, wanted_gradients, strict=True):
        assert (ours is None) == (theirs is None)
        if ours is not None:
            assert_close(ours, theirs)
    assert sum(len(text.start) for text in wanted) > 10
    for text, other in zip(found, wanted, strict=True):
        for column, theirs in zip(text[:3], other[:3], strict=True):
            np.testing.assert_array_equal(column, theirs)
        assert_close(text.logit, other.logit)


def _words(length, seed):
    random = np.random.default_rng(seed)
    heads = np.sort(random.choice(max(length - 4, 1), min(length // 3, max(length - 4, 1)), replace=False))
    tails = np.minimum(heads + random.integers(1, 4, len(heads)), length - 1)
    return DocWords(heads, tails, random.integers(0, 20, len(heads))) if length > 4 else DocWords.none()


def _mixed(module, chars, features, device, max_items):
    """What FLAT makes of texts, in training, with gradients, or in prediction, in several parts."""
    words = [_words(length, i) for i, length in enumerate(TEXTS)]
    windows, _ = cut_windows(TEXTS, words, 16, 4, 8)
    parts = pack_parts(windows, max_items, device)
    if max_items is None:
        chars = chars.clone().requires_grad_()
        out = module(chars, features, parts)
        return out, torch.autograd.grad((out * out.detach().sin()).sum(), [chars, *module.parameters()])
    assert len(parts) > 2
    with torch.no_grad():
        return module(chars, features, parts), ()


@pytest.mark.parametrize("max_items", [None, 40])
@pytest.mark.parametrize(
    "settings",
    [{}, {"n_layers": 2, "learned_positions": True}, {"attend": "words"}, {"fusion": "gate", "gated": False}],
)
def test_flat(device, settings, max_items):
    torch.manual_seed(0)
    module = FlatTexts(16, 6, FlatSettings(n_heads=2, window=16, overlap=4, max_words=8, **settings))
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    chars, features = torch.randn(sum(TEXTS), 16), torch.randn(20, 6)
    out, gradients = _mixed(deepcopy(module).to(device), chars.to(device), features.to(device), device, max_items)
    wanted, wanted_gradients = _mixed(module, chars, features, CPU, max_items)
    assert out.device.type == device.type
    assert_close(out, wanted)
    for ours, theirs in zip(gradients, wanted_gradients, strict=True):
        assert_close(ours, theirs, atol=1e-3)
