import json

import pytest

from spacy_medflat.errors import MedflatError
from spacy_medflat.experiments.index import read_index, write_index
from spacy_medflat.experiments.matrix import Matrix, Row

ROWS = [Row("a", "A", None, {}, (), (0, 1), 0, "a"), Row("c", "C", None, {}, (), (0,), 9, "a", "needs a GPU")]


def test_what_the_report_reads_is_what_the_matrix_has(tmp_path):
    write_index(Matrix(tmp_path / "m.yml", "a", ROWS, ["train"]), tmp_path / "out")
    index = json.loads((tmp_path / "out" / "experiments.json").read_text(encoding="utf8"))
    assert index["matrix"] == "m.yml" and index["baseline"] == "a" and index["variables"] == ["train"]
    expected = {"name": "c", "title": "C", "seeds": [0], "against": "a", "max_length": 9, "missing": "needs a GPU"}
    assert index["rows"][1] == expected
    assert read_index(tmp_path / "out").model_dump() == index


def test_no_index_and_a_damaged_one(tmp_path):
    with pytest.raises(MedflatError, match="no such file; give the folder that"):
        read_index(tmp_path)
    (tmp_path / "experiments.json").write_text("{", "utf8")
    with pytest.raises(MedflatError, match="damaged, or of another version; run `spacy medflat experiments` again"):
        read_index(tmp_path)
