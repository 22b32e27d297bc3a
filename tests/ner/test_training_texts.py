import numpy as np
import pytest
import spacy
from hypothesis import given
from hypothesis import strategies as st

from spacy_medflat.errors import MedflatError
from spacy_medflat.ner.training_texts import TrainingTexts, lower

from ..pipelines import SENTENCES, make_examples

LABELS = ("bod", "dis", "sym")


@pytest.fixture
def nlp():
    return spacy.blank("zh")


def record(nlp, labels=LABELS):
    return TrainingTexts.of(make_examples(nlp), "sc", labels)


def test_texts_are_known_whatever_white_space_is_between(nlp):
    texts = record(nlp)
    assert all(texts.know(text) for text, _ in SENTENCES)
    assert texts.know(" 右肺上叶\n腺癌术后 ") and not texts.know("右肺上叶腺癌术")


def test_strings_are_counted_as_occurrences_and_as_entities(nlp):
    texts = record(nlp)
    counts = dict(zip(texts.strings, texts.counts.tolist(), strict=True))
    # 右肺上叶 stands in two texts, and is a bod in both; 贫血 has two labels once.
    assert counts["右肺上叶"] == [2, 2, 0, 0] and counts["贫血"] == [1, 0, 1, 1]
    assert counts["cinⅱ-ⅲ级"] == [1, 0, 1, 0]
    assert "双下肢\n水肿" not in counts


def test_mentions_are_found_in_tokens_of_the_batch(nlp):
    texts = record(nlp)
    docs = [nlp.make_doc("查右肺上叶"), nlp.make_doc(""), nlp.make_doc("CINⅡ-Ⅲ级 右肺")]
    found = texts.mentions(docs, np.array([0, 5, 5]))
    rows = zip(found.start.tolist(), found.end.tolist(), found.counts[:, 0].tolist(), strict=True)
    assert list(rows) == [(1, 5, 2), (5, 12, 1)]


def test_it_is_saved_and_loaded(nlp):
    texts = record(nlp)
    loaded = TrainingTexts.from_bytes(texts.to_bytes())
    assert (loaded.labels, loaded.digests, loaded.strings) == (texts.labels, texts.digests, texts.strings)
    assert (loaded.counts == texts.counts).all()
    assert texts.to_bytes() == loaded.to_bytes()
    with pytest.raises(MedflatError, match="record of the training texts is damaged"):
        TrainingTexts.from_bytes(texts.to_bytes()[:-10])


def test_without_entities(nlp):
    texts = TrainingTexts.of([], "sc", LABELS)
    assert len(texts.mentions([nlp.make_doc("肺")], np.array([0])).start) == 0
    assert TrainingTexts.from_bytes(texts.to_bytes()).counts.shape == (0, 4)


@given(st.text())
def test_lower_case_keeps_every_place(text):
    assert len(lower(text)) == len(text)
    assert [a for a, b in zip(text, lower(text), strict=True) if a.lower() != b and len(a.lower()) == 1] == []
