import spacy
from spacy.tokens import Doc, Span
from spacy.training import Example

from spacy_medflat.ner.gold import read_gold

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
