"""Small steps that the tests of the lattice share."""

from typing import Any

from spacy.language import Language
from spacy.tokens import Doc

from spacy_medflat.lattice.words import Words

TEXT = "2.肾盂、膀胱及输尿管结石。"
"""The example of the project's report, and under it the places that the report prints."""
PLACES = [("肾盂", 2, 4), ("膀胱", 5, 7), ("输尿管", 8, 11), ("结石", 11, 13)]
LEXICON: dict[str, Any] = {"@misc": "spacy_medflat.LexiconWords.v1"}


def rows(words: Words) -> list[tuple[int, int, int, str, str]]:
    """Text, start, end, types and sources of each word."""
    columns = (words.text.tolist(), words.start.tolist(), words.end.tolist())
    tags = [words.tags[i] for i in words.tag.tolist()]
    return [(*row, *tag) for row, tag in zip(zip(*columns, strict=True), tags, strict=True)]


def spans(doc: Doc, key: str = "lattice") -> list[tuple[str, int, int]]:
    """Text and characters of each span."""
    return [(span.text, span.start_char, span.end_char) for span in doc.spans[key]]


def add_lattice(nlp: Language, **config: Any) -> Any:
    """The component with these settings, at the end of a pipeline."""
    return nlp.add_pipe("medflat_lattice", name="lattice", config=config)
