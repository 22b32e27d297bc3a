import pytest
import spacy

from spacy_medflat.selection.reading import Reader


@pytest.fixture(scope="session")
def reader(known_model):
    """A pipeline that knows five sentences, see `tests.pipelines.SENTENCES`."""
    nlp = spacy.load(known_model)
    return Reader(nlp, nlp.get_pipe("medflat_ner"), "mine 0.0.0")
