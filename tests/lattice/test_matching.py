from hypothesis import given
from hypothesis import strategies as st

from spacy_medflat.lattice.lexicon import Lexicon
from spacy_medflat.lattice.matching import Matcher
from spacy_medflat.lattice.rules import WordRules

from ..corpus.strategies import texts
from .helpers import rows

ANY = WordRules(1, 8, chinese_only=False)
words = st.lists(st.text("肺癌ab 😀", min_size=1, max_size=3).filter(lambda w: w == w.strip()), max_size=8)
notes = st.lists(st.one_of(texts, st.text("肺癌ab 😀\n", max_size=12)), max_size=5)


@given(words, notes)
def test_all_words_in_any_text(words, notes):
    found = rows(Matcher(Lexicon(words), ANY, "x").find(notes))
    expected = [
        (i, start, end, "", "x")
        for i, text in enumerate(notes)
        for start in range(len(text))
        for end in range(len(text), start, -1)
        if text[start:end] in words
    ]
    assert found == expected


@given(words, notes)
def test_longest_words(words, notes):
    found = rows(Matcher(Lexicon(words), ANY, "x", nested=False).find(notes))
    expected = []
    for i, text in enumerate(notes):
        start = 0
        while start < len(text):
            end = next((e for e in range(len(text), start, -1) if text[start:e] in words), None)
            if end:
                expected.append((i, start, end, "", "x"))
            start = end or start + 1
    assert found == expected


def test_rules_and_types():
    matcher = Matcher(Lexicon({"肺": "bod", "右肺": "bod", "肺癌": "dis|sym", "CT": "equ"}), WordRules(), "x")
    assert matcher.n_words == 2
    assert rows(matcher.find(["右肺癌CT"])) == [(0, 0, 2, "bod", "x"), (0, 1, 3, "dis|sym", "x")]
