import numpy as np
import pytest
import spacy
from numpy.testing import assert_allclose
from spacy.util import fix_random_seed

from .pipelines import (
    LISTENER,
    SENTENCES,
    add_head,
    flat_config,
    lattice_pipeline,
    make_examples,
    spans_of,
    write_recipe,
)

TEXTS = [text for text, _ in SENTENCES]


def pipeline(folder, mixed_precision, steps=1):
    """A character transformer, FLAT and the head, trained from one seed."""
    fix_random_seed(0)
    nlp = lattice_pipeline(folder / "lexicon.tsv")
    encoder = {
        "@architectures": "spacy_medflat.CharTransformer.v1",
        "name": str(write_recipe(folder / "encoder")),
        "window": 64,
        "overlap": 16,
        "mixed_precision": mixed_precision,
    }
    nlp.add_pipe("transformer", config={"model": encoder})
    add_head(nlp, flat_config(LISTENER, gated=False, mixed_precision=mixed_precision))
    examples = make_examples(nlp)
    optimizer = nlp.initialize(lambda: examples)
    optimizer.learn_rate = 0.005
    for _ in range(steps):
        nlp.update(examples, sgd=optimizer, annotates=["lattice"])
    return nlp


def vectors_of(nlp):
    docs = [nlp.make_doc(text) for text in TEXTS]
    for name in ("lattice", "transformer"):
        docs = list(nlp.get_pipe(name).pipe(docs))
    return np.concatenate(nlp.get_pipe("medflat_ner").model.get_ref("tok2vec").predict(docs))


@pytest.fixture(scope="module")
def mixed(tmp_path_factory):
    return pipeline(tmp_path_factory.mktemp("mixed"), True, steps=80)


def test_mixed_precision_differs_from_single_by_rounding_alone(tmp_path):
    single, mixed = (vectors_of(pipeline(tmp_path, precision)) for precision in (False, True))
    assert single.dtype == mixed.dtype == np.float32
    assert (single != mixed).any()
    assert_allclose(mixed, single, atol=0.1)


def test_learns_in_mixed_precision(mixed):
    assert mixed.evaluate(make_examples(mixed))["spans_sc_f"] > 0.9
    weights = [
        p for node in mixed.get_pipe("medflat_ner").model.walk() for s in node.shims for p in s._model.parameters()
    ]
    assert {str(p.dtype) for p in weights} == {"torch.float32"}


def test_a_trained_pipeline_runs_in_either_precision(mixed, tmp_path):
    mixed.to_disk(tmp_path)
    expected = vectors_of(mixed)
    same = spacy.load(tmp_path)
    assert_allclose(vectors_of(same), expected, atol=1e-6)
    model = {"components.medflat_ner.model.tok2vec.mixed_precision": False}
    single = spacy.load(tmp_path, config={**model, "components.transformer.model.mixed_precision": False})
    found = vectors_of(single)
    assert (found != expected).any()
    assert [spans_of(doc) for doc in single.pipe(TEXTS)] == [spans_of(doc) for doc in mixed.pipe(TEXTS)]
