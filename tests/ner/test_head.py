"""An architecture of somebody else's, by the protocol alone, and what a saved pipeline relies on."""

import numpy as np
import pytest
import spacy
import torch
from spacy.util import registry
from thinc.api import chain, expand_window, list2array

from spacy_medflat._internals import module_of
from spacy_medflat.ner.component import NestedEntityRecognizer
from spacy_medflat.ner.head import SpanHead, convert_named_outputs
from spacy_medflat.ner.spans import Candidates, split_by_text
from spacy_medflat.ner.tagging import TagFeatures
from spacy_medflat.torch_layer import torch_layer

from ..pipelines import CNN, SENTENCES, cnn_pipeline, make_examples, spans_of, train


class PairHead:
    """Finds spans of two tokens. The model gives an array (float32 [tokens, labels]) of logits at the first one."""

    def sizes(self, labels):
        return {"n_labels": len(labels)}

    def out_of_reach(self, gold, labels):
        return {"not of two tokens": gold.end - gold.start != 2}

    def loss(self, features, lengths, gold, labels):
        target = np.zeros_like(features)
        target[(np.cumsum(lengths) - lengths)[gold.doc] + gold.start, gold.label] = 1.0
        gradient = 1 / (1 + np.exp(-features)) - target
        return float(np.abs(gradient).sum()), gradient

    def candidates(self, features, lengths, lowest, labels):
        token, label = (features > lowest).nonzero()
        doc = np.repeat(np.arange(len(lengths)), lengths)
        start = token - (np.cumsum(lengths) - lengths)[doc[token]]
        inside = start + 2 <= lengths[doc[token]]
        spans = Candidates(start, start + 2, label, features[token, label].astype(np.float64))
        return split_by_text(doc[token][inside], spans.take(inside), len(lengths))


def make_linear(n_in, n_labels):
    return torch.nn.Linear(n_in, n_labels)


@registry.architectures("medflat_test.Pairs.v1")
def make_pairs(tok2vec):
    layer = torch_layer("pairs", make_linear, ["n_in", "n_labels"])
    model = chain(tok2vec, list2array(), expand_window(1), layer)
    model.set_ref("output_layer", layer)
    model.attrs["span_head"] = PairHead()
    return model


def test_an_architecture_of_ones_own(tmp_path):
    assert isinstance(PairHead(), SpanHead)
    nlp = cnn_pipeline(model={"@architectures": "medflat_test.Pairs.v1", "tok2vec": {**CNN, "width": 32, "depth": 2}})
    train(nlp, 60)
    pairs = [[span for span in spans if span[1] - span[0] == 2] for _, spans in SENTENCES]
    assert [spans_of(nlp(text)) for text, _ in SENTENCES] == pairs and any(pairs)
    nlp.to_disk(tmp_path)
    assert [spans_of(spacy.load(tmp_path)(text)) for text, _ in SENTENCES] == pairs


def test_a_model_without_a_head():
    model = cnn_pipeline().get_pipe("medflat_ner").model
    model.attrs["span_head"] = object()
    with pytest.raises(ValueError, match="has no span head"):
        NestedEntityRecognizer(spacy.blank("zh").vocab, model)


def test_tensors_without_a_gradient_are_left_out():
    weight = torch.ones(2, requires_grad=True)
    features = TagFeatures(weight * 3, torch.zeros(0))
    passed, to_torch = convert_named_outputs(None, (None, features), True)
    assert isinstance(passed, TagFeatures) and not passed.emissions.requires_grad
    backward = to_torch(TagFeatures(torch.tensor([1.0, 2.0]), torch.zeros(0)))
    torch.autograd.backward(*backward.args, **backward.kwargs)
    assert weight.grad.tolist() == [3.0, 6.0]


POINTER, LINEAR = "spacy_medflat.{}GlobalPointer.v1", "spacy_medflat.LinearNested.v1"
# Five labels: n_in is 16. Saved pipelines have these nodes, names and shapes.
SAVED = [
    (
        {"@architectures": POINTER.format("Efficient"), "head_size": 4},
        {"pair.weight": (8, 16), "pair.bias": (8,), "bias.weight": (10, 8), "bias.bias": (10,)},
    ),
    (
        {"@architectures": POINTER.format(""), "head_size": 4},
        {"pair.weight": (40, 16), "pair.bias": (40,), "bias": (5,)},
    ),
    (
        {"@architectures": LINEAR, "groups": [["sym"]]},
        {"tags.weight": (12, 16), "tags.bias": (12,), "moves": (68,)},
    ),
    ({"@architectures": LINEAR, "groups": [["sym"]], "crf": False}, {"tags.weight": (12, 16), "tags.bias": (12,)}),
]


@pytest.mark.parametrize(("head", "shapes"), SAVED)
def test_what_saved_pipelines_rely_on(head, shapes):
    nlp = cnn_pipeline(model={**head, "tok2vec": CNN})
    nlp.initialize(lambda: make_examples(nlp))
    model = nlp.get_pipe("medflat_ner").model
    tok2vec, concatenate, wrapper = model.layers
    assert tok2vec is model.get_ref("tok2vec") and not concatenate.layers
    assert wrapper.layers == [model.get_ref("output_layer")]
    module = module_of(wrapper.layers[0].shims[0])
    assert {name: tuple(tensor.shape) for name, tensor in module.state_dict().items()} == shapes
