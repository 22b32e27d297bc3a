import json

import pytest
import spacy

from spacy_medflat.corpus.formats.registry import write_records
from spacy_medflat.corpus.record import Entity, Record
from spacy_medflat.errors import MedflatError
from spacy_medflat.experiments.folder import RunFolder
from spacy_medflat.experiments.predictions import read_predictions
from spacy_medflat.experiments.stages import score_run

from ..pipelines import SENTENCES, make_examples


@pytest.fixture(scope="module")
def nlp(known_model):
    return spacy.load(known_model)


def make(folder, nlp, max_length=0, scored="best"):
    records = [Record(text, [Entity(*span) for span in spans], id=f"n{i}") for i, (text, spans) in enumerate(SENTENCES)]
    dev = folder / "dev.json"
    write_records(records, dev, "cmeee")
    (folder / "training").mkdir()
    nlp.to_disk(folder / "training" / f"model-{scored}")
    config = f'[corpora]\n\n[corpora.dev]\n@readers = "spacy_medflat.CMeEE.v1"\npath = "{dev}"\n'
    (folder / "config.cfg").write_text(config, encoding="utf8")
    (folder / "row.json").write_text(json.dumps({"max_length": max_length, "scored": scored}), encoding="utf8")
    return RunFolder(folder)


def test_scores_are_those_of_the_pipeline(nlp, tmp_path):
    folder = make(tmp_path, nlp)
    score_run(folder)
    scores = json.loads(folder.scores.read_text(encoding="utf8"))
    expected = nlp.evaluate(make_examples(nlp))
    assert [scores[name] for name in "prf"] == pytest.approx([expected[f"spans_sc_{name}"] for name in "prf"])
    assert scores["f"] > 0.5 and scores["texts"] == 5 and scores["gold"] == sum(len(spans) for _, spans in SENTENCES)
    spans = read_predictions(folder.predictions)
    assert {(e.start, e.end, e.label) for e, value in spans[0].items() if value > 0.5} == set(SENTENCES[0][1])
    assert all(value > scores["floor"] for found in spans for value in found.values())


def test_the_last_pipeline_is_scored_if_the_row_says_so(nlp, tmp_path):
    folder = make(tmp_path, nlp, scored="last")
    spacy.blank("zh").to_disk(folder.training / "model-best")
    score_run(folder)
    assert read_predictions(folder.predictions)


def test_gold_beyond_the_cut_counts_as_missed(nlp, tmp_path):
    folder = make(tmp_path, nlp, max_length=5)
    score_run(folder)
    scores = json.loads(folder.scores.read_text(encoding="utf8"))
    assert scores["gold"] == sum(len(spans) for _, spans in SENTENCES)
    assert scores["hits"] <= sum(end <= 5 for _, spans in SENTENCES for _, end, _ in spans)
    assert all(entity.end <= 5 for found in read_predictions(folder.predictions) for entity in found)


def test_another_pipeline(tmp_path):
    folder = make(tmp_path, spacy.blank("zh"))
    with pytest.raises(MedflatError, match="has no 'medflat_ner' component"):
        score_run(folder)
    assert not folder.predictions.exists() and not folder.scores.exists()
