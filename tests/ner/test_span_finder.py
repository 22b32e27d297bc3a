import pytest

from spacy_medflat.ner.span_finder import FLOOR, candidates_of

from ..pipelines import SENTENCES, cnn_pipeline, train


def test_every_span_above_the_floor_and_nothing_written():
    nlp = cnn_pipeline()
    train(nlp, 10)
    recognizer = nlp.get_pipe("medflat_ner")
    texts = [text for text, _ in SENTENCES]
    found = list(candidates_of(nlp, recognizer, texts))
    assert [doc.text for doc, _ in found] == texts and not any(doc.spans for doc, _ in found)
    assert all((candidates.score > FLOOR).all() for _, candidates in found)
    recognizer.cfg["threshold"] = FLOOR
    for doc, candidates in found:
        group = nlp(doc.text).spans["sc"]
        assert [(s.start, s.end) for s in group] == list(zip(candidates.start, candidates.end, strict=True))
        assert group.attrs["scores"].tolist() == pytest.approx(candidates.score.tolist(), abs=1e-5)
    assert any(0.02 < score < 0.5 for _, candidates in found for score in candidates.score)
