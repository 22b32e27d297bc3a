"""The lexicon and the vectors that the project ships."""

from pathlib import Path

import numpy as np

from spacy_medflat.lattice.lexicon import format_lexicon, read_lexicon
from spacy_medflat.lattice.rules import WordRules
from spacy_medflat.vectors.convert import WordFilter, load_vectors

ASSETS = Path(__file__).parent.parent / "assets"
TYPES = {"bod", "dis", "sym", "pro", "dru", "ite", "mic", "equ", "dep"}
LEXICON_RULES = WordRules(max_length=12)


def test_lexicon():
    path = ASSETS / "lexicon.tsv"
    text = path.read_text(encoding="utf-8")
    assert text.startswith("word\ttype\tfrequency\n")
    lexicon = read_lexicon(path)
    assert text == format_lexicon(lexicon)
    assert text.count("\n") - 1 == len(lexicon) >= 20_000
    assert not LEXICON_RULES.refused(lexicon)
    counts = lexicon.type_counts()
    assert set(counts) == TYPES | {""}
    assert min(counts.values()) > 200


def test_lexicon_agrees_with_the_settled_types():
    lexicon = read_lexicon(ASSETS / "lexicon.tsv")
    lines = (ASSETS / "corpus" / "source" / "labels.tsv").read_text(encoding="utf-8").splitlines()
    settled = dict(line.split("\t") for line in lines if line and not line.startswith("#"))
    words = {word: types for word, types in settled.items() if LEXICON_RULES.allow(word)}
    assert len(words) > 300
    assert words.keys() <= set(lexicon)
    other = {
        word: lexicon.types(word) or "-"
        for word, types in words.items()
        if set((lexicon.types(word) or "-").split("|")) != set(types.split("|"))
    }
    assert not other


def test_vectors():
    path = ASSETS / "vectors.txt.gz"
    assert path.stat().st_size < 700_000
    lexicon = set(read_lexicon(ASSETS / "lexicon.tsv"))
    table, summary = load_vectors(path, keep=WordFilter())
    assert summary.dimension == 50
    assert {word for word in table.words if len(word) > 1} <= lexicon
    assert summary.characters == sum(len(word) == 1 for word in table.words) > 900
    assert np.isfinite(table.matrix).all() and (np.abs(table.matrix).max(1) > 0).all()
