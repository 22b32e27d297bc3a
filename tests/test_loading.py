import pytest

from spacy_medflat.errors import MedflatError
from spacy_medflat.loading import model_folder, model_identity


def test_the_identity_of_a_pipeline_is_what_its_files_hold(tmp_path):
    (tmp_path / "config.cfg").write_text("a")
    first = model_identity(tmp_path)
    (tmp_path / "__pycache__").mkdir()
    (tmp_path / "__pycache__" / "x.pyc").write_text("x")
    assert model_identity(tmp_path) == first and first[1] == 1
    (tmp_path / "config.cfg").write_text("b")
    assert model_identity(tmp_path)[0] != first[0]
    assert model_folder(str(tmp_path)) == tmp_path
    with pytest.raises(MedflatError, match="neither an installed package nor a folder"):
        model_folder(str(tmp_path / "none"))
