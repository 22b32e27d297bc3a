import spacy
from spacy.tokens import Span
from spacy.training import Example

from spacy_medflat.linking.attributes import Code, set_codes
from spacy_medflat.linking.scorer import score_codes


def example(gold, found):
    docs = []
    for listed in (found, gold):
        doc = spacy.blank("zh").make_doc("肺炎胃炎肝炎")
        doc.spans["sc"] = [Span(doc, i, i + 2, label="dis") for i in (0, 2, 4)]
        for span, codes in zip(doc.spans["sc"], listed, strict=True):
            set_codes(span, map(Code, codes))
        docs.append(doc)
    return Example(*docs)


def test_scores():
    scores = score_codes([example([["A"], ["B"], []], [["A", "B"], ["A", "B"], ["C"]])])
    assert scores == {"codes_sc_spans": 2, "codes_sc_linked": 1.0, "codes_sc_acc": 0.5, "codes_sc_among": 1.0}


def test_without_gold():
    scores = score_codes([example([[], [], []], [["A"], [], []])])
    assert (scores["codes_sc_spans"], scores["codes_sc_acc"]) == (0, None)
