import pytest

from spacy_medflat.corpus.record import CorpusError
from spacy_medflat.device import use_device
from spacy_medflat.experiments.environment import has_gpu


def test_no_gpu():
    if has_gpu():
        pytest.skip("there is a GPU")
    use_device(-1)
    with pytest.raises(CorpusError, match="GPU 3 cannot be used: "):
        use_device(3)
