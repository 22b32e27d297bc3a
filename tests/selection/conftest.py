import pytest

from spacy_medflat.selection.reading import Reader

from ..pipelines import cnn_pipeline, train


@pytest.fixture(scope="session")
def reader():
    """A pipeline that knows five sentences, see `tests.pipelines.SENTENCES`."""
    nlp = cnn_pipeline()
    train(nlp, 60)
    return Reader(nlp, nlp.get_pipe("medflat_ner"), "mine 0.0.0")
