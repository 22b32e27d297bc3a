import numpy as np
import pytest
import torch
from thinc.layers import hashembed

from spacy_medflat.training.adversarial.attacks import FGM, PGD, Attack, FreeLB
from spacy_medflat.training.adversarial.targets import find_targets

from ...pipelines import flat_pipeline, make_examples
from ..victims import attack_it, attacked_gradients, empty, equal, gold, models, owners, plain_gradients, victim


@pytest.mark.parametrize("target", ["output", "weights"])
@pytest.mark.parametrize(
    "attack, spared", [(PGD(0.5, 0.3, 3), [False, True, True, False]), (FreeLB(0.5, 0.3, 2), [False, False, False])]
)
def test_passes_that_only_move_the_perturbation_compute_no_gradients_of_layers(encoder, attack, spared, target):
    nlp = victim("medflat_ner", encoder)
    examples = gold(nlp)
    pipe = nlp.get_pipe("medflat_ner")
    attack_it(nlp, attack, target=target)
    layers = [place for (*_, name), place in owners(nlp) if "layer.0" in name and name.endswith("dense.weight")]
    update, seen = pipe.update, []

    def watch(*args, **kwargs):
        result = update(*args, **kwargs)
        seen.append([place.grad is None for place in layers])
        return result

    pipe.update = watch
    nlp.update(examples, sgd=False)
    assert seen == [[is_spared] * len(layers) for is_spared in spared]
    assert layers and all(place.grad is not None and place.requires_grad for place in layers)


@pytest.mark.parametrize("head", ["medflat_ner", "spancat", "textcat"])
@pytest.mark.parametrize("steps", [1, 3])
def test_the_gradient_is_clean_plus_last_adversarial(head, upstream, steps):
    """Against passes made by hand with other means: subclassed forwards and numpy."""
    nlp = victim(head, upstream)
    examples = gold(nlp)
    epsilon, alpha, weight = 0.7, 0.4, 0.5
    (target,) = find_targets("transformer", models(nlp)[0])[:1] if upstream else find_targets(head, models(nlp)[0])[:1]
    lengths = [len(eg.x) for eg in examples]
    layer = target.layer
    clean, grad = _pass_by_hand(nlp, examples, layer, None)
    delta = 0.0
    for _ in range(steps):
        delta = _shorten(delta + alpha * _directions(grad, lengths), lengths, epsilon)
        adversarial, grad = _pass_by_hand(nlp, examples, layer, delta)
    expected = {key: clean[key] + weight * adversarial[key] for key in clean}
    attack_it(nlp, PGD(epsilon, alpha, steps), names=[target.name], weight=weight)
    ours, _ = attacked_gradients(nlp, examples)
    equal(ours, expected, rtol=1e-4, atol=1e-5)


def _pass_by_hand(nlp, examples, layer, delta):
    seen = []
    if isinstance(layer, torch.nn.Embedding):

        def forward(ids):
            output = torch.nn.functional.embedding(ids, layer.weight, layer.padding_idx)
            output = output if delta is None else output + torch.from_numpy(delta)
            output.retain_grad()
            seen.append(output)
            return output

        layer.forward = forward
        found = plain_gradients(nlp, examples)
        del layer.forward
        return found, seen[0].grad.numpy()

    def call(model, ids, is_train):
        output, backprop = hashembed.forward(model, ids, is_train)

        def watch(gradient):
            seen.append(gradient.copy())
            return backprop(gradient)

        return output if delta is None else output + delta, watch

    layer._func = call
    found = plain_gradients(nlp, examples)
    layer._func = hashembed.forward
    return found, seen[0]


def _texts(array, lengths):
    if array.ndim == 3:
        return list(array)
    return np.split(array, np.cumsum(lengths)[:-1])


def _directions(gradient, lengths):
    parts = [part / max(np.sqrt((part.astype("d") ** 2).sum()), 1e-30) for part in _texts(gradient, lengths)]
    return (np.stack(parts) if gradient.ndim == 3 else np.concatenate(parts)).astype("f")


def _shorten(delta, lengths, epsilon):
    parts = [part * min(1.0, epsilon / max(np.linalg.norm(part), 1e-30)) for part in _texts(delta, lengths)]
    return (np.stack(parts) if delta.ndim == 3 else np.concatenate(parts)).astype("f")


@pytest.mark.parametrize("target", ["output", "weights"])
def test_freelb_adds_the_mean_of_its_passes(upstream, target):
    nlp = victim("medflat_ner", upstream)
    examples = gold(nlp)
    clean = plain_gradients(nlp, examples)

    class Still(FreeLB):
        def start(self, gradient, rows, generator):
            return torch.zeros_like(gradient)

        def move(self, delta, gradient, rows):
            return delta

    attack_it(nlp, Still(0.5, 0.3, 4), target=target)
    ours, losses = attacked_gradients(nlp, examples)
    equal(ours, {key: 2 * value for key, value in clean.items()}, rtol=1e-6)
    assert losses["medflat_ner_adversarial"] == pytest.approx(losses["medflat_ner"])


@pytest.mark.parametrize("target", ["output", "weights"])
def test_pgd_with_one_step_is_fgm(upstream, target):
    nlp = victim("medflat_ner", upstream)
    examples = gold(nlp)
    found = []
    for attack in (FGM(0.5), PGD(0.5, 0.5, 1)):
        attack_it(nlp, attack, target=target)
        found.append(attacked_gradients(nlp, examples, drop=0.1)[0])
    equal(*found)


def test_annotating_components_annotate_in_every_pass(upstream):
    nlp = victim("ner", upstream, extra=("textcat",))
    seen = []
    pipe = nlp.get_pipe("textcat")
    update = pipe.update
    pipe.update = lambda examples, **kw: (
        seen.append([eg.x.has_annotation("ENT_IOB") for eg in examples]) or update(examples, **kw)
    )
    attack_it(nlp, PGD(0.5, 0.3, 2))
    nlp.update(gold(nlp), sgd=False, annotates=["ner"])
    assert len(seen) == 3 and all(all(row) for row in seen)


def test_words_of_a_lattice_are_there_in_every_pass(tmp_path):
    nlp = flat_pipeline(tmp_path / "words.tsv")
    examples = make_examples(nlp)
    nlp.initialize(lambda: examples)
    clean = plain_gradients(nlp, examples, annotates=["lattice"])
    attack_it(nlp, FGM(0.0))
    both, losses = attacked_gradients(nlp, examples, annotates=["lattice"])
    equal(both, {key: 2 * value for key, value in clean.items()})
    assert losses["medflat_ner"] == losses["medflat_ner_adversarial"]


class Recorder(Attack):
    """FGM that keeps its perturbations."""

    def __init__(self, epsilon=0.5):
        self.inner, self.deltas = FGM(epsilon), []

    def start(self, gradient, rows, generator):
        delta = self.inner.start(gradient, rows, generator)
        self.deltas.append((delta, rows))
        return delta


def test_a_text_is_perturbed_alike_in_any_batch(calm_upstream):
    nlp = victim("medflat_ner", calm_upstream)
    examples = gold(nlp)
    alone, together = Recorder(), Recorder()
    names = ["transformer.embeddings.word_embeddings"] if calm_upstream else ["medflat_ner.hashembed"]
    attack_it(nlp, alone, names=names)
    nlp.update([examples[2]], sgd=False)
    attack_it(nlp, together, names=names)
    nlp.update([*examples, empty(nlp)], sgd=False)
    (one, _), (all_, rows) = alone.deltas[0], together.deltas[0]
    mine = all_[rows.group == 2]
    # On the padding of the longer batch there is nothing.
    assert not mine[len(one) :].any() and (len(mine) > len(one)) == bool(calm_upstream)
    np.testing.assert_allclose(mine[: len(one)], one, atol=1e-5)
    lengths = torch.zeros(rows.groups).index_add_(0, rows.group, all_.square().sum(-1)).sqrt()
    np.testing.assert_allclose(lengths[:5], 0.5, rtol=1e-5)
    assert not all_[~rows.real].any()
