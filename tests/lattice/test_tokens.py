import pytest
import spacy
from hypothesis import given
from hypothesis import strategies as st
from spacy.tokens import Doc

from spacy_medflat.lattice.tokens import TokenPlaces
from spacy_medflat.lattice.words import Words

from ..corpus.strategies import texts
from .helpers import rows

NLP = spacy.blank("zh")


def everywhere(notes):
    """Every place in these texts."""
    return Words.of([[(a, b, "") for a in range(len(t)) for b in range(a + 1, len(t) + 1)] for t in notes], "x")


@given(st.lists(st.one_of(texts, st.text("肺 \n\t癌", max_size=8)).map(lambda text: text[:12]), max_size=4))
def test_any_text(notes):
    docs = [NLP.make_doc(text) for text in notes]
    places = TokenPlaces(docs)
    assert places.texts == [doc.text for doc in docs] == notes
    expected = []
    for i, doc in enumerate(docs):
        spans = [doc.char_span(a, b) for a in range(len(doc.text)) for b in range(len(doc.text), a, -1)]
        expected += [(i, span.start, span.end, "", "x") for span in spans if span is not None]
    assert rows(places.to_tokens(everywhere(notes))) == expected


def test_tokens_of_several_characters():
    doc = Doc(NLP.vocab, words=["右肺", "上叶", "CT"], spaces=[False, True, True])
    places = TokenPlaces([Doc(NLP.vocab), doc])
    assert places.texts == ["", "右肺上叶 CT "]
    words = Words.of([[], [(0, 2, "a"), (0, 4, "b"), (1, 3, "c"), (2, 5, "d"), (5, 7, "e"), (0, 7, "f")]], "x")
    assert rows(places.to_tokens(words)) == [
        (1, 0, 3, "f", "x"),
        (1, 0, 2, "b", "x"),
        (1, 0, 1, "a", "x"),
        (1, 2, 3, "e", "x"),
    ]


@pytest.mark.parametrize("place", [(-1, 1), (0, 3), (1, 1), (2, 1)])
def test_places_outside_of_the_text(place):
    message = f"the word source 'mine' gave the place {place[0]}–{place[1]} in a text of 2 characters"
    with pytest.raises(ValueError, match=message):
        TokenPlaces([NLP.make_doc("肺癌"), NLP.make_doc("右肺上叶")]).to_tokens(Words.of([[(*place, "")]], "mine"))
