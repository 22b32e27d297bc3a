"""The lexicon and the vectors that the project ships."""

from pathlib import Path

import numpy as np

from spacy_medflat.lattice.lexicon import format_lexicon, read_lexicon
from spacy_medflat.lattice.rules import WordRules
from spacy_medflat.vectors.convert import WordFilter, load_vectors

ASSETS = Path(__file__).parent.parent / "assets"
TYPES = {"bod", "dis", "sym", "pro", "dru", "ite", "mic", "equ", "dep"}


def test_lexicon():
    path = ASSETS / "lexicon.tsv"
    lexicon = read_lexicon(path)
    assert path.read_text(encoding="utf-8") == format_lexicon(lexicon)
    assert not WordRules().refused(lexicon)
    counts = lexicon.type_counts()
    assert set(counts) == TYPES | {""}
    assert min(counts.values()) > 50


def test_vectors():
    path = ASSETS / "vectors.txt.gz"
    assert path.stat().st_size < 700_000
    lexicon = set(read_lexicon(ASSETS / "lexicon.tsv"))
    table, summary = load_vectors(path, keep=WordFilter())
    assert summary.dimension == 50
    assert {word for word in table.words if len(word) > 1} <= lexicon
    assert summary.characters == sum(len(word) == 1 for word in table.words) > 900
    assert np.isfinite(table.matrix).all() and (np.abs(table.matrix).max(1) > 0).all()
