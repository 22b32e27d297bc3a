import pytest

from spacy_medflat.corpus.formats.registry import write_records
from spacy_medflat.corpus.record import Entity, Record
from spacy_medflat.errors import ExperimentError, MedflatError
from spacy_medflat.experiments.texts import read_mentions, read_texts

from ..corpus.helpers import tumour


@pytest.fixture
def path(tmp_path):
    # The second has an entity that no token boundary fits; it is gold all the same.
    records = [tumour(id="n1"), Record("肺  癌", [Entity(0, 2, "dis"), Entity(3, 3, "x")]), Record("无殊")]
    write_records(records, tmp_path / "a.json", "cmeee")
    return tmp_path / "a.json"


def test_all_sound_gold_is_read(path):
    found = read_texts({"path": path})
    assert len(found) == 3 and found.ids == ["n1", "", ""] and found.texts[2] == "无殊"
    assert found.gold[0] == set(tumour().entities) and found.gold[1] == {Entity(0, 2, "dis")} and not found.gold[2]


def test_labels_limit_and_format(path):
    assert read_texts({"path": path, "limit": 1, "labels": ["bod"]}).gold == [frozenset({Entity(0, 4, "bod")})]
    with pytest.raises(MedflatError):
        read_texts({"path": path, "format": "jsonl"})


def test_the_checksum_knows_texts_and_gold(path):
    whole, part = read_texts({"path": path}), read_texts({"path": path, "labels": ["dis"]})
    assert whole.checksum == read_texts({"path": path}).checksum
    assert len({whole.checksum, part.checksum, read_texts({"path": path, "limit": 2}).checksum}) == 3


def test_mentions(path):
    assert read_mentions({"path": path, "limit": 1}) == {("右肺上叶腺癌", "dis"), ("右肺上叶", "bod"), ("咳嗽", "sym")}


def test_nothing_to_read(tmp_path):
    with pytest.raises(ExperimentError, match="no corpus path"):
        read_texts({"path": None})
    (tmp_path / "a.json").write_text("[]", encoding="utf8")
    with pytest.raises(ExperimentError, match="no texts to score"):
        read_texts({"path": tmp_path / "a.json"})
