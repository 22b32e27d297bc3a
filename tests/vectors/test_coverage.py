from collections import Counter

from spacy_medflat.vectors.coverage import Coverage, count_words, coverage
from spacy_medflat.vectors.texts import Found


def test_coverage():
    known = {"肺癌", "肺", "炎"}.__contains__
    words = {"肺癌": 3, "肺炎": 2, "肝炎": 1, "": 1, "胃癌": 2}
    assert coverage(words, known) == Coverage(9, 3, 3)
    assert coverage(dict.fromkeys(words, 1), known) == Coverage(5, 1, 2)
    assert str(coverage(words, known)) == (
        "3 of 9 have a vector (33.3 %), 3 more can be composed from characters (33.3 %)"
    )
    assert str(coverage({}, known)) == "no words"


def test_count_words():
    found = [Found("右肺右肺", [(0, 2), (2, 4)]), Found("右肺上叶", [(0, 4), (0, 2)])]
    counts = Counter()
    assert list(count_words(found, counts)) == found
    assert counts == {"右肺": 3, "右肺上叶": 1}
