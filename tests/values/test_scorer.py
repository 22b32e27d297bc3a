import spacy
from spacy.tokens import Span
from spacy.training import Example

from spacy_medflat.values.attributes import Value, set_value
from spacy_medflat.values.scorer import score_values


def example(gold, found):
    docs = []
    for values in (found, gold):
        doc = spacy.blank("zh").make_doc("血红蛋白体温")
        doc.spans["sc"] = [Span(doc, 0, 4, label="ite"), Span(doc, 4, 6, label="ite")]
        for span, value in zip(doc.spans["sc"], values, strict=True):
            set_value(span, value)
        docs.append(doc)
    return Example(*docs)


NUMBER = Value(numbers=(92.0,), ucum="g/L", unit="g/L", form="number")


def test_scores():
    gold = [NUMBER, Value(numbers=(39.0,), direction="high")]
    found = [NUMBER._replace(unit="克/升", numbers=(92.0 + 1e-9,)), Value(numbers=(39.0,))]
    scores = score_values([example(gold, found)])
    assert (scores["values_sc_spans"], scores["values_sc_p"], scores["values_sc_f"]) == (2, 0.5, 0.5)
    assert scores["values_sc_per_field"]["numbers"] == {"p": 1.0, "r": 1.0, "f": 1.0}
    assert scores["values_sc_per_field"]["direction"] == {"p": 0.0, "r": 0.0, "f": 0.0}
    assert set(scores["values_sc_per_field"]) == {"numbers", "ucum", "direction"}


def test_missed_and_invented_values():
    scores = score_values([example([NUMBER, None], [None, NUMBER])])
    assert (scores["values_sc_spans"], scores["values_sc_p"], scores["values_sc_r"]) == (2, 0.0, 0.0)


def test_texts_without_gold_are_left_out():
    scores = score_values([example([None, None], [NUMBER, None])])
    assert (scores["values_sc_spans"], scores["values_sc_f"], scores["values_sc_per_field"]) == (0, None, None)


def test_no_such_group():
    assert score_values([example([NUMBER, None], [None, None])], spans_key=None)["values_ents_spans"] == 0
