import pytest
import spacy
from hypothesis import given
from hypothesis import strategies as st
from spacy.training import Example

from spacy_medflat.corpus.record import Entity
from spacy_medflat.ner.scorer import roles_of, score_nested

NLP = spacy.blank("zh")
MENTIONS = st.sets(
    st.builds(lambda s, n, label: Entity(s, s + n, label), st.integers(0, 9), st.integers(1, 5), st.sampled_from("ab"))
)


def example(text, gold, predicted):
    doc, reference = NLP.make_doc(text), NLP.make_doc(text)
    for target, spans in ((doc, predicted), (reference, gold)):
        if spans is not None:
            target.spans["sc"] = [target.char_span(s, e, label=label) for s, e, label in spans]
    return Example(doc, reference)


@given(MENTIONS)
def test_roles_equal_their_definition(spans):
    def holds(a, b):
        return a.start <= b.start and b.end <= a.end and (a.start, a.end) != (b.start, b.end)

    outer = {a for a in spans if any(holds(a, b) for b in spans)}
    inner = {b for b in spans if any(holds(a, b) for a in spans)}
    assert roles_of(spans) == {"nested": outer | inner, "outer": outer, "inner": inner, "flat": spans - outer - inner}


def test_scores_overall_per_type_and_by_role():
    gold = [(0, 6, "dis"), (0, 4, "bod"), (8, 10, "sym"), (8, 10, "dis")]
    predicted = [(0, 6, "dis"), (0, 2, "bod"), (8, 10, "sym")]
    scores = score_nested([example("右肺上叶腺癌伴咳嗽发热", gold, predicted)], spans_key="sc")
    assert scores["spans_sc_p"] == pytest.approx(2 / 3)
    assert scores["spans_sc_r"] == pytest.approx(2 / 4)
    assert scores["spans_sc_per_type"]["bod"]["f"] == 0.0
    assert scores["spans_sc_per_type"]["dis"] == pytest.approx({"p": 1.0, "r": 0.5, "f": 2 / 3})
    assert (scores["spans_sc_outer_p"], scores["spans_sc_outer_r"]) == (1.0, 1.0)
    assert (scores["spans_sc_inner_p"], scores["spans_sc_inner_r"]) == (0.0, 0.0)
    assert scores["spans_sc_nested_r"] == 0.5
    assert (scores["spans_sc_flat_p"], scores["spans_sc_flat_r"]) == (1.0, 0.5)


def test_a_right_span_counts_even_if_its_role_differs():
    scores = score_nested([example("右肺上叶腺癌", [(0, 6, "dis"), (0, 4, "bod")], [(0, 4, "bod")])], spans_key="sc")
    assert scores["spans_sc_inner_r"] == 1.0
    assert scores["spans_sc_inner_p"] == 0.0
    assert scores["spans_sc_flat_p"] == 1.0


def test_texts_without_annotation_are_left_out():
    annotated = example("咳嗽", [(0, 2, "sym")], [(0, 2, "sym")])
    unknown = example("发热", None, [(0, 2, "sym")])
    assert score_nested([annotated, unknown], spans_key="sc")["spans_sc_f"] == 1.0
    empty = score_nested([unknown], spans_key="sc")
    assert empty["spans_sc_f"] is None and empty["spans_sc_nested_f"] is None


def test_texts_with_other_tokens_compare_by_characters():
    doc = NLP.make_doc("右肺 结节")
    reference = spacy.tokens.Doc(NLP.vocab, words=["右肺", "结节"], spaces=[True, False])
    doc.spans["sc"] = [doc.char_span(0, 2, label="bod")]
    reference.spans["sc"] = [reference.char_span(0, 2, label="bod")]
    assert score_nested([Example(doc, reference)], spans_key="sc")["spans_sc_f"] == 1.0
