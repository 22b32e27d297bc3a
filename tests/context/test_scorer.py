import pytest
import spacy
from spacy.training import Example

from spacy_medflat.context.attributes import register_attributes
from spacy_medflat.context.scorer import score_context

from .helpers import with_spans

SPANS = [(1, 3, "sym"), (4, 6, "sym"), (8, 10, "sym")]


def example(gold, found, gold_spans=SPANS, found_spans=SPANS):
    register_attributes()
    vocab = spacy.blank("zh")
    docs = []
    for spans, values in ((gold_spans, gold), (found_spans, found)):
        doc = with_spans(vocab.make_doc("无发热、咳嗽，有腹痛。"), spans)
        for span, value in zip(doc.spans["sc"], values, strict=True):
            span._.assertion = value
        docs.append(doc)
    return Example(docs[1], docs[0])


def test_scores_of_values():
    scores = score_context([example(["absent", "absent", "present"], ["absent", "possible", "present"])])
    assert scores["context_sc_spans"] == 3
    assert scores["context_sc_assertion_acc"] == pytest.approx(2 / 3)
    per_value = scores["context_sc_assertion_per_value"]
    assert per_value["absent"] == {"p": 1.0, "r": 0.5, "f": pytest.approx(2 / 3)}
    assert per_value["possible"] == {"p": 0.0, "r": 0.0, "f": 0.0}
    assert list(per_value) == ["present", "absent", "possible"]
    assert scores["context_sc_assertion_macro_f"] == pytest.approx((1 + 2 / 3) / 2)
    assert scores["context_sc_experiencer_acc"] is None


def test_spans_that_are_not_found_or_not_annotated_do_not_count():
    scores = score_context([example(["absent", None, "present"], ["absent", "absent"], found_spans=SPANS[:2])])
    assert scores["context_sc_spans"] == 1
    assert scores["context_sc_assertion_acc"] == 1.0


def test_the_pipeline_scores_itself():
    nlp = spacy.blank("zh")
    nlp.add_pipe("medflat_context")
    one = example(["absent", "absent", "present"], [None] * 3)
    assert nlp.evaluate([one])["context_sc_assertion_acc"] == 1.0


def test_nothing_to_score():
    scores = score_context([])
    assert scores["context_sc_spans"] == 0 and scores["context_sc_assertion_per_value"] is None
