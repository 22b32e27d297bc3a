import os
from pathlib import Path

import pytest

from spacy_medflat.corpus.atomic import replaced_when_done, write_json
from spacy_medflat.corpus.record import CorpusError


def test_a_file_takes_its_place(tmp_path):
    target = tmp_path / "new" / "a.txt"
    for content in ("old", "new"):
        with replaced_when_done(target) as scratch:
            assert scratch.name == "a.txt"
            scratch.write_text(content)
    assert target.read_text() == "new"
    assert [p.name for p in target.parent.iterdir()] == ["a.txt"]


@pytest.mark.parametrize("exists", [False, True])
def test_a_folder_takes_its_place(tmp_path, exists):
    target = tmp_path / "out"
    if exists:
        target.mkdir()
    with replaced_when_done(target) as scratch:
        scratch.mkdir()
        (scratch / "a.txt").write_text("x")
    assert (target / "a.txt").read_text() == "x"


def test_an_error_leaves_the_target_alone(tmp_path):
    target = tmp_path / "a.txt"
    target.write_text("old")
    with pytest.raises(RuntimeError), replaced_when_done(target) as scratch:
        scratch.write_text("half")
        raise RuntimeError
    assert target.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["a.txt"]


def test_a_full_folder_is_never_replaced(tmp_path):
    (tmp_path / "mine.ann").write_text("x")
    with pytest.raises(CorpusError, match="not empty"), replaced_when_done(tmp_path):
        pass


def test_an_empty_folder_is_not_replaced_by_a_file(tmp_path):
    target = tmp_path / "out"
    target.mkdir()
    with pytest.raises(CorpusError, match="out: there is a folder of this name"), replaced_when_done(target) as scratch:
        scratch.write_text("x")
    assert target.is_dir()


def test_a_file_is_not_replaced_by_a_folder(tmp_path):
    target = tmp_path / "out"
    target.write_text("mine")
    with pytest.raises(CorpusError, match="out: there is a file of this name"), replaced_when_done(target) as scratch:
        scratch.mkdir()
    assert target.read_text() == "mine"


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="names of open files are found in /proc")
@pytest.mark.parametrize("is_folder", [False, True])
def test_durable_outputs_reach_the_disk_before_they_take_their_place(is_folder, tmp_path, monkeypatch):
    flushed = []

    def flush(descriptor):
        flushed.append(Path(f"/proc/self/fd/{descriptor}").readlink().name)
        assert (tmp_path / "a").exists() == (flushed[-1] == tmp_path.name)

    monkeypatch.setattr(os, "fsync", flush)
    with replaced_when_done(tmp_path / "a", durable=True) as scratch:
        if is_folder:
            scratch.mkdir()
            (scratch / "b").write_text("x")
        else:
            scratch.write_text("x")
    assert flushed == [*(["b"] if is_folder else []), "a", tmp_path.name]


def test_json(tmp_path):
    write_json(tmp_path / "a.json", {"肺": 1})
    assert "肺" in (tmp_path / "a.json").read_text(encoding="utf-8")
