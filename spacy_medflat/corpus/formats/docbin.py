"""spaCy's binary training format (`.spacy`), the entities in a span group."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import spacy
from spacy.tokens import DocBin
from spacy.vocab import Vocab

from ...errors import CorpusError, MedflatError
from ..docs import doc_to_record, record_to_doc
from ..record import Problem, Record


def read_docbin(path: Path, spans_key: str = "sc") -> Iterator[Record]:
    """Read a `.spacy` file.

    spans_key (str): the span group of the entities.
    YIELDS (Record): each document.
    RAISES (MedflatError): the file is no DocBin, or the weight of a document is none.
    """
    data = path.read_bytes()
    # Damaged bytes raise errors of zlib, msgpack, numpy and spaCy of many types.
    try:
        for number, doc in enumerate(DocBin().from_bytes(data).get_docs(Vocab()), 1):
            yield doc_to_record(doc, spans_key, place=f"{path.name} record {number}")
    except MedflatError:
        raise
    except Exception as error:
        hint = "a .spacy file is read as a whole or not at all; write it again with convert"
        raise CorpusError(f"{path.name}: not a spaCy DocBin, or damaged; {hint}") from error


def write_docbin(records: Iterable[Record], path: Path, spans_key: str = "sc", lang: str = "zh") -> list[Problem]:
    """Write every record as a document of the language's tokenizer; all of them are held in memory.

    Text, offsets, identifiers and fields survive exactly.

    spans_key (str): the span group of the entities.
    lang (str): the language's code.
    RETURNS (list of Problem): the entities that do not fit the tokens.
    RAISES (CorpusError): an unknown language, or fields that the format cannot store.
    """
    tokenizer = blank_pipeline(lang).tokenizer
    # Nothing but text and spans is annotated, so no token attribute needs storing.
    docs = DocBin(attrs=["ORTH"], store_user_data=True)
    problems: list[Problem] = []
    for record in records:
        doc, unaligned = record_to_doc(record, tokenizer, spans_key)
        problems.extend(unaligned)
        try:
            docs.add(doc)
        except (OverflowError, TypeError, ValueError) as error:
            raise CorpusError(f"{record.place}: a DocBin cannot store the fields of the record: {error}") from error
    try:
        docs.to_disk(path)
    except ValueError as error:
        raise CorpusError(f"{path.name}: too large for one DocBin; convert the corpus in parts") from error
    return problems


def blank_pipeline(lang: str) -> spacy.Language:
    """Make an empty pipeline of this language, for its tokenizer.

    lang (str): the language's code.
    RETURNS (Language): the pipeline.
    RAISES (CorpusError): spaCy does not know the language.
    """
    try:
        return spacy.blank(lang)
    except ImportError as error:
        raise CorpusError(f"spaCy has no language {lang!r}; Chinese is 'zh'") from error
