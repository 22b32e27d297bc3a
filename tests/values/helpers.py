"""Values of marked texts."""

import re

from spacy_medflat.values.find import find_values
from spacy_medflat.values.terms import shipped_terms
from spacy_medflat.values.vocabulary import Vocabulary

TERMS = Vocabulary(shipped_terms())
_MARKED = re.compile(r"\{([^|{}]+)\|(\w+)\}")


def marked(text):
    """`{体温|ite}39℃` as its text and spans of characters and label."""
    plain, spans, begun = "", [], 0
    for match in _MARKED.finditer(text):
        plain += text[begun : match.start()]
        spans.append((len(plain), len(plain) + len(match.group(1)), match.group(2)))
        plain += match.group(1)
        begun = match.end()
    return plain + text[begun:], spans


def values(text, terms=TERMS):
    """The value of each marked entity."""
    plain, spans = marked(text)
    return find_values(plain, spans, terms, ["ite", "pro"], ["dru"])


def said(value):
    """What a value says, without how it is written."""
    if value is None:
        return None
    known = {name: found for name, found in value._asdict().items() if found not in (None, ())}
    for name in ("parts", "unit", "form", "frequency"):
        known.pop(name, None)
    return known
