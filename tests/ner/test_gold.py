import numpy as np
import spacy
from spacy.tokens import Doc, Span
from spacy.training import Example

from spacy_medflat.ner.gold import read_gold
from spacy_medflat.partial_annotation import set_weight

NLP = spacy.blank("zh")


def make(text, spans, words=None, key="sc"):
    predicted = NLP.make_doc(text)
    reference = predicted.copy() if words is None else Doc(NLP.vocab, words=words, spaces=[False] * len(words))
    if spans is not None:
        reference.spans[key] = [Span(reference, s, e, label=label) for s, e, label in spans]
    return Example(predicted, reference)


def test_gold_and_what_is_out_of_reach():
    examples = [
        make("右肺上叶腺癌", [(0, 4, "bod"), (0, 6, "dis"), (0, 6, "dis"), (2, 4, "xyz")]),
        make("咳嗽", None),
        make("无", []),
    ]
    gold, coverage = read_gold(examples, "sc", ["dis", "bod"])
    assert list(zip(*(c.tolist() for c in gold[:4]), strict=True)) == [(0, 0, 4, 1), (0, 0, 6, 0)]
    assert gold.annotated.tolist() == [True, False, True]
    assert (coverage.gold, coverage.unknown["xyz"], coverage.reached) == (3, 1, 2)
    coverage.lost["too wide"] = 1
    assert coverage.reached == 1
    assert "1 of 3 gold spans within reach (33.33%)" in str(coverage)
    assert "1 too wide, 1 of unknown labels (xyz)" in str(coverage)


def test_reference_with_word_tokens():
    example = make("右肺上叶腺癌", [(0, 1, "bod"), (0, 2, "dis")], words=["右肺上叶", "腺癌"])
    gold, coverage = read_gold([example], "sc", ["bod", "dis"])
    assert list(zip(*(c.tolist() for c in gold[:4]), strict=True)) == [(0, 0, 4, 0), (0, 0, 6, 1)]
    assert coverage.unaligned == 0


def test_predicted_text_with_word_tokens_loses_inner_spans():
    predicted = Doc(NLP.vocab, words=["右肺上叶", "腺癌"], spaces=[False, False])
    reference = NLP.make_doc("右肺上叶腺癌")
    reference.spans["sc"] = [Span(reference, 0, 2, label="bod"), Span(reference, 0, 6, label="dis")]
    gold, coverage = read_gold([Example(predicted, reference)], "sc", ["bod", "dis"])
    assert gold.end.tolist() == [2] and coverage.unaligned == 1


def test_unknown_spans_and_weights():
    examples = [make("右肺上叶腺癌", [(0, 4, "bod")]), make("咳嗽", []), make("右肺", None)]
    first, second, third = (example.reference for example in examples)
    first.spans["sc_unknown"] = [
        # One that is gold after all, one twice, and one whose label is not known.
        *(Span(first, 0, 4, label="bod"), Span(first, 0, 6, label="dis"), Span(first, 0, 6, label="dis")),
        Span(first, 0, 6, label="xyz"),
    ]
    third.spans["sc_unknown"] = [Span(third, 0, 2, label="bod")]
    plain, _ = read_gold(examples[1:], "sc", ["dis", "bod"])
    assert plain.unknown is None and plain.weight is None and plain.text_weights().tolist() == [1.0, 0.0]
    set_weight(second, 0.5)
    gold, coverage = read_gold(examples, "sc", ["dis", "bod"])
    assert [column.tolist() for column in gold.unknown] == [[0], [0], [6], [0]]
    assert gold.weight.tolist() == [1.0, 0.5, 1.0] and gold.text_weights().tolist() == [1.0, 0.5, 0.0]
    assert (coverage.gold, coverage.undecided, coverage.reached) == (1, 1, 1)
    assert "1 more may be entities or not" in str(coverage)
    kept = gold.take(np.zeros(1, dtype=bool))
    assert not len(kept.doc) and kept.unknown is gold.unknown and kept.weight is gold.weight
