"""The calibrator in a pipeline: fitted, saved, with words that act at once, and without what it needs."""

import json

import numpy as np
import pytest
import spacy

from spacy_medflat.errors import MedflatError
from spacy_medflat.ner.calibrate import HeldOut, fit_calibrator
from spacy_medflat.ner.calibrator import LOWEST, Calibrator, kinds_of
from spacy_medflat.ner.gold import read_gold

from ..pipelines import DATA, SENTENCES, cnn_pipeline, make_examples, sample_examples, spans_of
from .quick_fits import QUICK

NEW = "查见颅底凹陷，伴肘管，无殊"


@pytest.fixture(scope="module")
def saved(sample_model, tmp_path_factory):
    """A pipeline of 60 sentences, calibrated on 100 others."""
    nlp = spacy.load(sample_model)
    recognizer = nlp.get_pipe("medflat_ner")
    held_out = sample_examples(nlp, "dev", 100)
    docs = [nlp.get_pipe("lattice")(example.predicted) for example in held_out]
    found = recognizer.head_candidates(docs, np.full(len(recognizer.labels), LOWEST, dtype=np.float32))
    gold, _ = read_gold(held_out, "sc", recognizer.labels)
    halves = HeldOut(np.arange(len(docs)), docs, found, recognizer.training_texts).halves()
    fitted = fit_calibrator(halves, gold, dict.fromkeys(recognizer.labels, 0.5), "lattice", settings=QUICK)
    assert set(fitted.rows) == {"head", "logit", "evidence"} and fitted.chosen == "evidence"
    assert fitted.rows["evidence"].f1 > fitted.rows["logit"].f1 + 0.05
    assert fitted.rows["logit"].reliability.error < fitted.rows["head"].reliability.error
    recognizer.calibrator = fitted.calibrator
    recognizer.cfg["threshold"] = 0.3
    path = tmp_path_factory.mktemp("calibrated")
    nlp.to_disk(path)
    return path


@pytest.fixture
def nlp(saved):
    return spacy.load(saved)


def scores_of(doc):
    return {(s.start, s.end, s.label_): s._.score for s in doc.spans["sc"]}


def test_it_is_saved_and_loaded_with_the_component(nlp, tmp_path):
    text = SENTENCES[0][0]
    before = scores_of(nlp(text))
    assert before
    again = cnn_pipeline()
    again.add_pipe("medflat_lattice", name="lattice", first=True)
    again.from_bytes(nlp.to_bytes())
    assert scores_of(again(text)) == before
    first = json.loads((DATA / "train.json").read_text(encoding="utf8"))[0]["text"]
    texts = again.get_pipe("medflat_ner").training_texts
    assert texts.know(first) and not texts.know(text)
    nlp.to_disk(tmp_path, exclude=[])
    for name in ("calibration", "training_texts"):
        damaged = tmp_path / "medflat_ner" / name
        whole = damaged.read_bytes()
        damaged.write_bytes(whole[:50])
        with pytest.raises(MedflatError, match="damaged"):
            spacy.load(tmp_path)
        damaged.write_bytes(whole)
    nlp.get_pipe("medflat_ner").calibrator = None
    nlp.to_disk(tmp_path)
    assert not (tmp_path / "medflat_ner" / "calibration").exists()


def test_batches_do_not_matter(nlp):
    texts = [text for text, _ in SENTENCES] + ["", NEW]
    alone = [scores_of(nlp(text)) for text in texts]
    together = [scores_of(doc) for doc in nlp.pipe(texts)]
    for one, other in zip(alone, together, strict=True):
        assert one.keys() == other.keys() and one == pytest.approx(other, abs=1e-5)


def test_a_users_words_act_at_once(nlp):
    lattice = nlp.get_pipe("lattice")
    assert (2, 6, "dis") not in spans_of(nlp(NEW)) and (8, 10, "bod") not in spans_of(nlp(NEW))
    lattice.add_words({"颅底凹陷": "dis", "肘管": "bod"}, source="user")
    found = spans_of(nlp(NEW))
    assert (2, 6, "dis") in found and (8, 10, "bod") in found
    assert [span for span in found if span[:2] == (2, 6)] == [(2, 6, "dis")]
    lattice.add_words({"颅底凹陷": "none"}, source="user")
    assert not [span for span in spans_of(nlp(NEW)) if span[:2] == (2, 6)]


def test_a_users_word_without_a_type_takes_the_best_label(nlp):
    before = spans_of(nlp(NEW))
    nlp.get_pipe("lattice").add_words(["颅底凹陷"], source="user")
    (new,) = set(spans_of(nlp(NEW))) - set(before)
    assert new[:2] == (2, 6)


def test_what_a_user_says_counts_against_the_lexicon(nlp):
    text = SENTENCES[1][0]
    assert (2, 4, "dis") in spans_of(nlp(text))
    nlp.get_pipe("lattice").add_words({"贫血": "sym"}, source="user")
    assert [span for span in spans_of(nlp(text)) if span[:2] == (2, 4)] == [(2, 4, "sym")]
    nlp.get_pipe("lattice").add_words({"贫血": "none"}, source="user")
    assert not [span for span in spans_of(nlp(text)) if span[:2] == (2, 4)]


def test_types_that_the_fit_has_not_seen_are_counted_once(nlp, caplog):
    nlp.get_pipe("lattice").add_words({"术后": "time"})
    nlp(SENTENCES[0][0])
    nlp(SENTENCES[0][0])
    assert caplog.text.count("words with 'type time', which the calibration was not fitted with") == 1


def test_without_the_words_the_head_alone_is_calibrated(nlp, caplog):
    recognizer = nlp.get_pipe("medflat_ner")
    with nlp.select_pipes(disable=["lattice"]):
        docs = list(nlp.pipe([SENTENCES[0][0], NEW]))
        plain = recognizer.head_candidates(docs[:1], np.full(len(recognizer.labels), LOWEST, dtype=np.float32))
    assert caplog.text.count("texts without the span group 'lattice'") == 1
    alone = recognizer.calibrator.logit_alone
    (found,) = plain
    scaled = alone.scale[found.label] * found.logit + alone.bias[found.label]
    expected = {
        (int(s), int(e), recognizer.labels[m]): 1 / (1 + np.exp(-x))
        for s, e, m, x in zip(found.start, found.end, found.label, scaled, strict=True)
        if 1 / (1 + np.exp(-x)) > recognizer.threshold_of(recognizer.labels[m])
    }
    assert scores_of(docs[0]) == pytest.approx(expected, rel=1e-4)


def test_some_texts_of_a_batch_without_words(nlp):
    recognizer = nlp.get_pipe("medflat_ner")
    texts = [text for text, _ in SENTENCES]
    docs = [nlp.get_pipe("lattice")(nlp.make_doc(text)) for text in texts]
    del docs[1].spans["lattice"]
    found = recognizer.candidates(docs, [0.1] * len(recognizer.labels))
    for i, doc in enumerate(docs):
        (alone,) = recognizer.candidates([doc], [0.1] * len(recognizer.labels))
        np.testing.assert_allclose(alone.logit, found[i].logit, rtol=1e-4)
        assert (alone.start == found[i].start).all()


def test_a_lexicon_of_another_language_and_an_empty_text(nlp):
    nlp.get_pipe("lattice").add_words({"fracture": "dis", "femur": ""}, source="user")
    assert spans_of(nlp("")) == [] and (0, 8, "dis") in spans_of(nlp("fracture的"))


def test_initializing_again_forgets_the_calibration(nlp):
    nlp.initialize(lambda: make_examples(nlp))
    recognizer = nlp.get_pipe("medflat_ner")
    assert recognizer.calibrator is None and recognizer.training_texts.know(SENTENCES[0][0])


def test_kinds():
    assert kinds_of("dis|sym", "lexicon+user") == ["type dis", "type sym", "source lexicon", "source user"]
    assert kinds_of("", "") == []


def test_damaged_bytes():
    with pytest.raises(MedflatError, match="the calibration is damaged"):
        Calibrator.from_bytes(b"\x80")
