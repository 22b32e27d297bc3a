"""Whole pipelines: what they find on a device is what they find on a CPU."""

import numpy as np
import pytest
import spacy

from spacy_medflat.ner.calibrate import HeldOut, fit_calibrator
from spacy_medflat.ner.calibration import FitSettings
from spacy_medflat.ner.calibrator import LOWEST
from spacy_medflat.ner.gold import read_gold

from ..pipelines import (
    LISTENER,
    SENTENCES,
    add_head,
    flat_config,
    lattice_pipeline,
    make_examples,
    train,
    transformer_pipeline,
    write_recipe,
)
from .devices import assert_close, assert_same_spans, compute_on, numbers, scores_of

# One that is read in several windows, one without characters.
TEXTS = [text for text, _ in SENTENCES] + ["".join(text for text, _ in SENTENCES) * 3, ""]


def _hidden(nlp):
    return [numbers(data.tensors[0]) for data in _predicted(nlp) if data.tensors]


def _predicted(nlp):
    return nlp.get_pipe("transformer").predict([nlp.make_doc(text) for text in TEXTS]).doc_data


@pytest.mark.parametrize("positions", ["absolute", "relative_key"])
def test_the_encoder_gives_the_same_vectors(device, positions, tmp_path):
    nlp = transformer_pipeline(write_recipe(tmp_path / "recipe", position_embedding_type=positions))
    nlp.config["components"]["transformer"]["model"]["max_batch_items"] = 64
    train(nlp, 1)
    nlp.to_disk(tmp_path / "model")
    nlp = spacy.load(tmp_path / "model", config={"components": {"transformer": {"model": {"max_batch_items": 64}}}})
    wanted = _hidden(nlp)
    compute_on(device)
    found = _hidden(spacy.load(tmp_path / "model", config=nlp.config))
    assert len(found) == len(TEXTS) - 1
    for ours, theirs in zip(found, wanted, strict=True):
        assert_close(ours, theirs)


@pytest.fixture(scope="module")
def flat_model(tmp_path_factory):
    """An encoder, a lattice with vectors, FLAT on both, and a head, trained a little."""
    folder = tmp_path_factory.mktemp("flat")
    nlp = lattice_pipeline(folder / "words.tsv")
    encoder = {"@architectures": "spacy_medflat.CharTransformer.v1", "name": str(write_recipe(folder / "recipe"))}
    nlp.add_pipe("transformer", config={"model": {**encoder, "window": 32, "overlap": 8}})
    add_head(nlp, flat_config(LISTENER, gated=False))
    nlp.get_pipe("medflat_ner").cfg["threshold"] = 0.3
    train(nlp, 12, rate=0.02, annotates=["lattice"])
    nlp.to_disk(folder / "model")
    return folder / "model"


def test_a_pipeline_with_words_finds_the_same_spans(device, flat_model):
    wanted = [scores_of(doc) for doc in spacy.load(flat_model).pipe(TEXTS)]
    assert sum(map(len, wanted)) > 5
    compute_on(device)
    docs = list(spacy.load(flat_model).pipe(TEXTS))
    assert_same_spans(map(scores_of, docs), wanted)


@pytest.fixture(scope="module")
def calibrated(flat_model, tmp_path_factory):
    """The same pipeline, its scores calibrated with the words of the lattice."""
    nlp = spacy.load(flat_model)
    recognizer = nlp.get_pipe("medflat_ner")
    examples = make_examples(nlp) * 4
    docs = [nlp.get_pipe("transformer")(nlp.get_pipe("lattice")(example.predicted)) for example in examples]
    found = recognizer.head_candidates(docs, np.full(len(recognizer.labels), LOWEST, dtype=np.float32))
    gold, _ = read_gold(examples, "sc", recognizer.labels)
    halves = HeldOut(np.arange(len(docs)), docs, found, None).halves()
    quick = FitSettings(networks=1, hidden=8, least_steps=50, most_steps=50, batch=256, rate=0.02)
    thresholds = dict.fromkeys(recognizer.labels, 0.5)
    recognizer.calibrator = fit_calibrator(halves, gold, thresholds, "lattice", settings=quick).calibrator
    folder = tmp_path_factory.mktemp("calibrated")
    nlp.to_disk(folder)
    return folder


def test_calibrated_scores_are_the_same(device, flat_model, calibrated):
    plain, wanted = ([scores_of(doc) for doc in spacy.load(path).pipe(TEXTS)] for path in (flat_model, calibrated))
    assert plain != wanted and sum(map(len, wanted)) > 5
    compute_on(device)
    docs = list(spacy.load(calibrated).pipe(TEXTS))
    assert_same_spans(map(scores_of, docs), wanted)
