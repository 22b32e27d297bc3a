import pytest
import spacy
from spacy.language import Language

from spacy_medflat.ensemble.build import make_ensemble
from spacy_medflat.scale.items import Document
from spacy_medflat.selection.reading import Reader, read_notes

from ..pipelines import SENTENCES, cnn_pipeline, spans_of, train


def notes(*texts):
    return [Document(text, {"text": text}, None, "notes line 1") for text in texts]


def read(reader, *texts):
    found = dict(read_notes(reader, notes(*texts)))
    return [found[i] for i in range(len(texts))]


def test_suggestions_are_what_the_pipeline_writes(reader):
    texts = [text for text, _ in SENTENCES] * 30
    for note, text in zip(read(reader, *texts), texts, strict=True):
        doc = reader.nlp(text)
        assert [(e.start, e.end, e.label) for e in note.entities] == spans_of(doc)
        scores = [round(float(score), 4) for score in doc.spans["sc"].attrs["scores"]]
        assert [e.score for e in note.entities] == pytest.approx(scores, abs=1e-3)
        assert note.document.text == text


def test_thresholds_and_nesting_of_the_pipeline_count(reader, monkeypatch):
    text = SENTENCES[0][0]
    monkeypatch.setitem(reader.finder.cfg, "nesting", "flat")
    (flat,) = read(reader, text)
    assert [(e.start, e.end) for e in flat.entities] == [(s, e) for s, e, _ in spans_of(reader.nlp(text))]
    monkeypatch.setitem(reader.finder.cfg, "label_thresholds", dict.fromkeys(reader.finder.labels, 1.0))
    (none,) = read(reader, text)
    assert none.entities == [] and none.uncertainty == flat.uncertainty > 0


def test_a_pipeline_that_has_learnt_little_is_less_sure(reader):
    nlp = cnn_pipeline()
    train(nlp, 8)
    text = SENTENCES[1][0]
    (known,), (new,) = read(reader, text), read(Reader(nlp, nlp.get_pipe("medflat_ner"), "mine"), text)
    assert known.uncertainty < new.uncertainty and known.confidence > new.confidence >= 0.5


def test_a_note_that_fails_fails_alone():
    @Language.component("fails_on_blood")
    def fail(doc):
        if "血" in doc.text:
            raise RuntimeError("no blood")
        return doc

    nlp = spacy.blank("zh")
    nlp.add_pipe("fails_on_blood")
    nlp.add_pipe("medflat_ner").add_label("bod")
    nlp.initialize()
    reader = Reader(nlp, nlp.get_pipe("medflat_ner"), "mine")
    good, bad, also = read(reader, "右肺", "贫血", "左肺")
    assert bad == "RuntimeError: no blood"
    assert (good.document.text, also.document.text) == ("右肺", "左肺")


def test_odd_texts_are_read(reader):
    for note in read(reader, "\x00右肺\x00", "👩‍⚕𠮷", "肺" * 20_000, "a\u2028b\r\n"):
        assert note.uncertainty >= 0.0


def test_an_ensemble_knows_the_training_texts_of_its_members(reader, tmp_path):
    assert [texts.know("无 殊") for texts in reader.training_texts()] == [True]
    reader.nlp.to_disk(tmp_path / "one")
    together = make_ensemble([spacy.load(tmp_path / "one") for _ in range(2)])
    of_both = Reader(together, together.get_pipe("medflat_ensemble"), "both").training_texts()
    assert [texts.know("无殊") for texts in of_both] == [True, True]
