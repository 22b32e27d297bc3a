"""Small pipelines to attack, their gradients, and a scaler that needs no GPU."""

import numpy as np
import spacy
import torch
from spacy.training import Example
from spacy.util import fix_random_seed
from thinc.api import PyTorchGradScaler

from spacy_medflat.training.adversarial.attacks import FGM
from spacy_medflat.training.adversarial.callbacks import create_adversarial_training

from ..pipelines import CNN, LISTENER, SENTENCES, transformer_pipeline

SPANCAT = {"@architectures": "spacy.SpanCategorizer.v1", "scorer": {"@layers": "spacy.LinearLogistic.v1"}}
SPANCAT["reducer"] = {"@layers": "spacy.mean_max_reducer.v1", "hidden_size": 8}
HEADS = {
    "medflat_ner": {"@architectures": "spacy_medflat.EfficientGlobalPointer.v1", "head_size": 8},
    "ner": {
        "@architectures": "spacy.TransitionBasedParser.v2",
        "state_type": "ner",
        "hidden_width": 8,
        "maxout_pieces": 2,
        "extra_state_tokens": False,
        "use_upper": True,
        "nO": None,
    },
    "textcat": {"@architectures": "spacy.TextCatReduce.v1", "use_reduce_mean": True, "exclusive_classes": True},
    "spancat": SPANCAT,
}
HEADS["textcat"] |= {"use_reduce_first": False, "use_reduce_last": False, "use_reduce_max": False}


def victim(name, encoder=None, extra=(), **model):
    """An initialized pipeline: one component, and more if asked, on a CNN each or on one shared encoder."""
    if encoder is None:
        nlp = spacy.blank("zh")
    else:
        nlp = transformer_pipeline(encoder)
        nlp.remove_pipe("medflat_ner")
    for pipe in (name, *extra):
        config = {"model": {**HEADS[pipe], **model, "tok2vec": CNN if encoder is None else LISTENER}}
        if pipe == "spancat":
            config["suggester"] = {"@misc": "spacy.ngram_suggester.v1", "sizes": [1, 2, 3, 4]}
        nlp.add_pipe(pipe, config=config)
    fix_random_seed(0)
    examples = gold(nlp)
    nlp.initialize(lambda: examples)
    # As after the first step of the optimizer: heads that start at zero give their inputs no gradient.
    generator = np.random.default_rng(0)
    for owner in models(nlp):
        for node in owner.walk():
            for key in node.param_names:
                if node.has_param(key) and not node.get_param(key).any():
                    node.set_param(key, 0.1 * generator.standard_normal(node.get_param(key).shape).astype("f"))
    return nlp


def gold(nlp):
    """Examples with what all the heads learn from."""
    examples = []
    for text, spans in SENTENCES:
        flat = [span for i, span in enumerate(spans) if all(span[0] >= end for _, end, _ in spans[:i])]
        annotations = {"spans": {"sc": spans}, "entities": flat, "cats": {"a": len(text) % 2, "b": 1 - len(text) % 2}}
        examples.append(Example.from_dict(nlp.make_doc(text), annotations))
    return examples


def empty(nlp):
    """An example without text."""
    return Example.from_dict(nlp.make_doc(""), {"spans": {"sc": []}})


def attack_it(nlp, attack=None, **settings):
    """Switch adversarial training on."""
    return create_adversarial_training(attack or FGM(0.5), **settings)(nlp)


def models(nlp):
    return [pipe.model for _, pipe in nlp.pipeline if hasattr(pipe, "model")]


def owners(nlp):
    """All places with parameters: (key, torch parameter) and (key, (node, name))."""
    for i, model in enumerate(models(nlp)):
        for j, node in enumerate(model.walk()):
            for name in node.param_names:
                yield (i, j, name), (node, name)
            for shim in node.shims:
                for name, param in shim._model.named_parameters():
                    yield (i, j, name), param


def weights(nlp):
    """A copy of every parameter."""
    found = {}
    for key, place in owners(nlp):
        if isinstance(place, torch.Tensor):
            found[key] = place.detach().numpy().copy()
        elif place[0].has_param(place[1]):
            found[key] = place[0].get_param(place[1]).copy()
    return found


def gradients(nlp):
    """A copy of every gradient."""
    found = {}
    for key, place in owners(nlp):
        if isinstance(place, torch.Tensor):
            if place.grad is not None:
                found[key] = place.grad.numpy().copy()
        elif place[0].has_grad(place[1]):
            found[key] = place[0].get_grad(place[1]).copy()
    return found


def clear(nlp):
    """Remove every gradient."""
    for _, place in owners(nlp):
        if isinstance(place, torch.Tensor):
            place.grad = None
        else:
            place[0]._params._grads.pop((place[0].id, place[1]), None)


def plain_gradients(nlp, examples, drop=0.0, seed=1, **settings):
    """The gradients of spaCy's own update."""
    clear(nlp)
    fix_random_seed(seed)
    type(nlp).update(nlp, examples, drop=drop, sgd=False, **settings)
    found = gradients(nlp)
    clear(nlp)
    return found


def attacked_gradients(nlp, examples, drop=0.0, seed=1, **settings):
    """The gradients of the adversarial update, and its losses."""
    clear(nlp)
    fix_random_seed(seed)
    losses = nlp.update(examples, drop=drop, sgd=False, **settings)
    found = gradients(nlp)
    clear(nlp)
    return found, losses


def equal(one, other, rtol=0.0, atol=0.0):
    assert one.keys() == other.keys()
    for key in one:
        np.testing.assert_allclose(one[key], other[key], rtol=rtol, atol=atol, err_msg=str(key))


class Scaler(PyTorchGradScaler):
    """thinc's scaler, without its check that tensors are on a GPU."""

    def __init__(self, scale):
        super().__init__(enabled=True, init_scale=scale)

    def _scale_tensor(self, tensor, scale_per_device, inplace):
        return tensor.mul_(self._scale) if inplace else tensor * self._scale


def set_scaler(nlp, scale):
    """Give each torch module a scaler."""
    for model in models(nlp):
        for node in model.walk():
            for shim in node.shims:
                shim._grad_scaler = Scaler(scale)
