from hypothesis import given
from hypothesis import strategies as st

from spacy_medflat.corpus.formats.utf16 import characters_of

from ..strategies import ANY_CHARACTER


@given(st.text(ANY_CHARACTER, min_size=1, max_size=20), st.data())
def test_any_stretch_is_found_again(text, data):
    start = data.draw(st.integers(0, len(text) - 1))
    end = data.draw(st.integers(start, len(text)))
    units = [len(part.encode("utf-16-le")) // 2 for part in (text[:start], text[:end])]
    assert characters_of(text, *units, text[start:end]) == (start, end)


def test_what_does_not_stand_there_is_none():
    text = "👩右肺"
    assert characters_of(text, 2, 4, "右肺") == (1, 3)
    assert characters_of(text, 1, 3, "右肺") is None
    assert characters_of(text, 2, 3, "右肺") is None
    assert characters_of(text, 2, 9, "右肺") is None
    assert characters_of(text, -1, 2, "右肺") is None
    assert characters_of("\ud83d右肺", 1, 3, "右肺") is None
