import pytest
from spacy.cli.find_threshold import find_threshold
from spacy.tokens import DocBin, Span

from spacy_medflat.ensemble.build import make_ensemble
from spacy_medflat.ner.span_finder import LOWEST_SCORE, candidates_of

from ..pipelines import SENTENCES, cnn_pipeline, make_examples, train


@pytest.fixture(scope="module")
def nlp():
    nlp = cnn_pipeline()
    train(nlp, 10)
    return nlp


def test_every_span_above_the_lowest_score_and_nothing_written(nlp):
    recognizer = nlp.get_pipe("medflat_ner")
    texts = [text for text, _ in SENTENCES]
    found = list(candidates_of(nlp, recognizer, texts))
    assert [doc.text for doc, _ in found] == texts and not any(doc.spans for doc, _ in found)
    assert all((candidates.score > LOWEST_SCORE).all() for _, candidates in found)
    recognizer.cfg["threshold"] = LOWEST_SCORE
    for doc, candidates in found:
        again = nlp(doc.text)
        group = again.spans["sc"]
        assert [(s.start, s.end) for s in group] == list(zip(candidates.start, candidates.end, strict=True))
        assert group.attrs["scores"].tolist() == pytest.approx(candidates.score.tolist(), abs=1e-5)
    assert any(0.02 < score < 0.5 for _, candidates in found for score in candidates.score)
    recognizer.cfg["threshold"] = 0.5


@pytest.mark.parametrize("name", ["medflat_ner", "medflat_ensemble"])
def test_spacys_own_search_for_a_threshold(nlp, name, tmp_path):
    pipeline = nlp if name == "medflat_ner" else make_ensemble([nlp, nlp], threshold=0.5)
    pipeline.to_disk(tmp_path / "pipeline")
    DocBin(docs=[eg.reference for eg in make_examples(nlp)]).to_disk(tmp_path / "dev.spacy")
    best, score, scores = find_threshold(
        tmp_path / "pipeline", tmp_path / "dev.spacy", name, "threshold", "spans_sc_f", n_trials=5
    )
    assert len(scores) == 5 and len(set(scores.values())) > 2
    assert 0.0 < best < 1.0 and score == max(scores.values()) > 0.1


def test_spans_know_their_score(nlp):
    recognizer = nlp.get_pipe("medflat_ner")
    recognizer.cfg["threshold"] = 0.0
    doc = nlp(SENTENCES[1][0])
    recognizer.cfg["threshold"] = 0.5
    group = doc.spans["sc"]
    assert len(group) > 20
    assert [span._.score for span in group] == group.attrs["scores"].tolist()
    first = group[0]
    assert doc[first.start : first.end]._.score is None
    assert Span(doc, first.start, first.end, label=first.label)._.score == group.attrs["scores"][0]
    assert nlp.make_doc("肺")[:1]._.score is None
