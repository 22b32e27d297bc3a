"""A prediction waits for the GPU where its result is read, and nowhere else."""

import warnings
from contextlib import contextmanager

import numpy as np
import pytest
import spacy
import torch

from spacy_medflat.flat.batch import DocWords, cut_windows, pack_parts
from spacy_medflat.flat.model import FlatTexts
from spacy_medflat.flat.settings import FlatSettings
from spacy_medflat.ner.pointer import EfficientGlobalPointer
from spacy_medflat.ner.pointer_head import PointerHead
from spacy_medflat.ner.tagging import LinearNestedHead, TagScores

from ..pipelines import LISTENER, add_head, flat_config, lattice_pipeline, train, write_recipe
from .devices import compute_on


@contextmanager
def waiting(mode):
    torch.cuda.synchronize()
    torch.cuda.set_sync_debug_mode(mode)
    try:
        yield
    finally:
        torch.cuda.set_sync_debug_mode("default")


def waits(run):
    """How often torch waits for the GPU, by the file that makes it wait."""
    with warnings.catch_warnings(record=True) as caught, waiting("warn"):
        warnings.simplefilter("always")
        run()
    return [w.filename for w in caught if "synchronizing CUDA operation" in str(w.message)]


@pytest.mark.parametrize("attend", ["lattice", "words"])
def test_flat_never_waits(gpu, attend):
    module = FlatTexts(16, 6, FlatSettings(n_heads=2, window=16, overlap=4, attend=attend)).to(gpu).eval()
    lengths = [40, 30, 8, 5]
    words = [DocWords(*np.array([[0, 2, 3], [1, 3, 3], [0, 1, 2]])) for _ in lengths]
    chars, features = torch.randn(sum(lengths), 16, device=gpu), torch.randn(3, 6, device=gpu)

    def mixed():
        parts = pack_parts(cut_windows(lengths, words, 16, 4, 8)[0], 40, gpu)
        assert len(parts) > 2
        return module(chars, features, parts)

    with torch.no_grad():
        mixed()
        with waiting("error"):
            mixed()


HEADS = {
    "pointer": (lambda: EfficientGlobalPointer(12, 2, 8), PointerHead(100)),
    "tags": (lambda: TagScores(12, **LinearNestedHead((), True).sizes("ab")), LinearNestedHead((), True)),
}


@pytest.mark.parametrize("name", HEADS)
def test_a_head_waits_as_often_for_many_blocks_as_for_one(gpu, name):
    make, head = HEADS[name]
    module = make().to(gpu).eval()
    counts = []
    for length in (20, 20_000):
        lengths = np.array([length, 30])
        with torch.no_grad():
            features = module(torch.randn(length + 30, 12, device=gpu))

        def find(features=features, lengths=lengths):
            head.candidates(features, lengths, np.full(2, -1.0), ("a", "b"))

        find()
        counts.append(len(waits(find)))
    assert counts[0] == counts[1] <= 3


def test_a_pipeline_waits_for_no_part(gpu, tmp_path):
    # Positions that transformers computes without a look at the mask: with others it waits once for each part.
    recipe = write_recipe(tmp_path / "recipe", position_embedding_type="relative_key")
    nlp = lattice_pipeline(tmp_path / "words.tsv")
    encoder = {"@architectures": "spacy_medflat.CharTransformer.v1", "name": str(recipe), "max_batch_items": 64}
    nlp.add_pipe("transformer", config={"model": {**encoder, "window": 30, "overlap": 8}})
    add_head(nlp, flat_config(LISTENER, max_batch_items=64))
    train(nlp, 1, annotates=["lattice"])
    nlp.to_disk(tmp_path / "model")
    compute_on(gpu)
    settings = {"max_batch_items": 64}
    nlp = spacy.load(tmp_path / "model", config={"components": {"transformer": {"model": settings}}})
    few, many = (list(nlp.pipe(["右肺上叶结节" * 5] * n, disable=["transformer", "medflat_ner"])) for n in (2, 12))
    transformer, recognizer = nlp.get_pipe("transformer"), nlp.get_pipe("medflat_ner")

    def read(docs):
        transformer.set_annotations(docs, transformer.predict(docs))
        recognizer.predict(docs)

    read(many)
    found = [waits(lambda docs=docs: read(docs)) for docs in (few, many)]
    assert len(found[0]) == len(found[1]), found
    assert all("pointer_head" in file for file in found[1]), found
