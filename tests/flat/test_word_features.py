import numpy as np
import pytest
import spacy
from spacy.tokens import Span, SpanGroup

from spacy_medflat.flat.word_features import WordReader, read_words


@pytest.fixture
def nlp():
    nlp = spacy.blank("zh")
    vectors = {"右肺": [3, 4, 0], "右": [1, 0, 0], "肺": [0, 1, 0], "癌": [0, 0, 2]}
    for word, vector in vectors.items():
        nlp.vocab.set_vector(word, np.array(vector, dtype="f"))
    return nlp


def annotate(nlp, text, places, key="lattice"):
    doc = nlp.make_doc(text)
    doc.spans[key] = SpanGroup(doc, spans=[Span(doc, start, end, label=label) for start, end, label in places])
    return doc


def read(doc, **settings):
    (words,), features, counts = read_words([doc], WordReader(**settings), np)
    return list(zip(words.heads.tolist(), words.tails.tolist(), strict=True)), features[words.features], counts


def test_places_and_vectors(nlp):
    doc = annotate(nlp, "右肺癌变", [(2, 3, ""), (0, 2, "")])
    places, features, counts = read(doc)
    assert places == [(0, 1), (2, 2)]
    np.testing.assert_allclose(features, [[0.6, 0.8, 0], [0, 0, 1]], atol=1e-6)
    assert counts["read"] == 2
    np.testing.assert_allclose(read(doc, normalize=False)[1], [[3, 4, 0], [0, 0, 2]])


def test_a_word_without_a_vector(nlp):
    doc = annotate(nlp, "右肺癌变", [(0, 3, ""), (1, 3, ""), (3, 4, "")])
    places, features, counts = read(doc, normalize=False)
    assert places == [(0, 2), (1, 2)]
    np.testing.assert_allclose(features, [[1 / 3, 1 / 3, 2 / 3], [0, 0.5, 1]], atol=1e-6)
    assert counts["without a vector"] == 1
    places, _, counts = read(doc, missing="drop")
    assert places == []
    assert counts["without a vector"] == 3


def test_types(nlp):
    doc = annotate(nlp, "右肺癌", [(0, 2, "bod"), (2, 3, "sym|dis")])
    _, features, _ = read(doc, types=("bod", "dis", "dru"))
    np.testing.assert_allclose(features[:, 3:], [[1, 0, 0], [0, 1, 0]])


def test_a_place_counts_once_with_all_its_types(nlp):
    doc = annotate(nlp, "右肺", [(0, 2, "bod"), (0, 2, "dis")])
    places, features, counts = read(doc, types=("bod", "dis"))
    assert places == [(0, 1)]
    np.testing.assert_allclose(features[:, 3:], [[1, 1]])
    assert counts["read"] == 1


def test_too_long(nlp):
    doc = annotate(nlp, "右肺癌变", [(0, 2, ""), (0, 3, "")])
    places, _, counts = read(doc, max_length=2)
    assert places == [(0, 1)]
    assert counts["too long"] == 1


def test_no_words(nlp):
    places, features, counts = read(annotate(nlp, "右肺", []))
    assert places == []
    assert features.shape == (0, 3)
    assert not counts["read"]


def test_no_span_group(nlp):
    doc = nlp.make_doc("右肺")
    with pytest.raises(ValueError, match="annotating_components"):
        read(doc)
    words, _, _ = read_words([doc], WordReader(), np, excused=[doc])
    assert len(words[0].heads) == 0


def test_no_vectors():
    nlp = spacy.blank("zh")
    with pytest.raises(ValueError, match="spacy medflat vectors"):
        read(annotate(nlp, "右肺", [(0, 2, "")]))


def test_reading_leaves_the_vocabulary_as_it_is(nlp):
    size = len(nlp.vocab.strings)
    doc = annotate(nlp, "右肺癌变", [(0, 3, "")])
    before = len(nlp.vocab.strings)
    read(doc)
    assert len(nlp.vocab.strings) == before >= size


@pytest.mark.parametrize(
    ("wrong", "message"),
    [({"missing": "guess"}, "'guess'"), ({"max_length": 0}, "0"), ({"types": ("bod", "bod")}, "bod")],
)
def test_settings_out_of_range(wrong, message):
    with pytest.raises(ValueError, match=message):
        WordReader(**wrong)
