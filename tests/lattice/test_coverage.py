from spacy_medflat.corpus.record import Entity, Record
from spacy_medflat.lattice.coverage import lexicon_coverage
from spacy_medflat.lattice.lexicon_words import LexiconWords

from ..corpus.helpers import tumour


def test_counts():
    source = LexiconWords()
    source.add_words(["右肺上叶", "右肺", "咳嗽", "肺"])
    found = lexicon_coverage(source, [tumour(), Record("肺", [Entity(0, 1, "bod"), Entity(0, 9, "bod")])])
    assert (found.texts, found.characters, found.words) == (2, 15, 3)
    assert found.mentions == {"dis": 1, "bod": 2, "sym": 1}
    assert found.known == {"bod": 1, "sym": 1, "dis": 0}
    assert found.words_per_character == 3 / 15


def test_no_texts():
    assert lexicon_coverage(LexiconWords(), []).words_per_character == 0
