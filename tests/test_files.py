import gzip
import os
import subprocess
import sys
from pathlib import Path

import pytest

from spacy_medflat.errors import MedflatError
from spacy_medflat.files import decode, iter_lines, locked, read_text, replaced_when_done, write_json, write_lines

from .corpus.helpers import write


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
    with pytest.raises(MedflatError, match="not empty"), replaced_when_done(tmp_path):
        pass


def test_an_empty_folder_is_not_replaced_by_a_file(tmp_path):
    target = tmp_path / "out"
    target.mkdir()
    with (
        pytest.raises(MedflatError, match="out: there is a folder of this name"),
        replaced_when_done(target) as scratch,
    ):
        scratch.write_text("x")
    assert target.is_dir()


def test_a_file_is_not_replaced_by_a_folder(tmp_path):
    target = tmp_path / "out"
    target.write_text("mine")
    with pytest.raises(MedflatError, match="out: there is a file of this name"), replaced_when_done(target) as scratch:
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


@pytest.mark.parametrize("name", ["a.txt", "a.txt.gz"])
def test_lines_give_the_same_bytes_again(name, tmp_path):
    for folder in ("one", "two"):
        write_lines(tmp_path / folder / name, ["肺\n", "肝\n"])
    data = (tmp_path / "one" / name).read_bytes()
    assert data == (tmp_path / "two" / name).read_bytes()
    assert (gzip.decompress(data) if name.endswith(".gz") else data).decode() == "肺\n肝\n"


def test_error_names_file_line_and_byte():
    with pytest.raises(MedflatError, match=r"notes line 12: not UTF-8 \(byte 0xff\)"):
        decode("肺\n".encode() + b"\xff", "notes", first_line=11)


def test_only_newlines_end_a_line(tmp_path):
    path = write(tmp_path / "a", "一\u2028\x85\x0b二\r\n三\r四\n\n五")
    assert list(iter_lines(path)) == [(1, "一\u2028\x85\x0b二"), (2, "三\r四"), (3, ""), (4, "五")]


def test_text_is_read_as_it_stands(tmp_path):
    text = "\ufeff一\r\n二\r三\n"
    assert read_text(write(tmp_path / "a", text)) == text


def test_one_at_a_time(tmp_path):
    refused = pytest.raises(MedflatError, match="another process is at work in")
    with locked(tmp_path / "lock"), refused, locked(tmp_path / "lock"):
        pass
    with locked(tmp_path / "lock"):
        pass


def test_a_lock_ends_with_a_killed_process(tmp_path):
    code = (
        "import sys, time; from pathlib import Path; from spacy_medflat.files import locked\n"
        "with locked(Path(sys.argv[1])): print('held', flush=True); time.sleep(60)"
    )
    holder = subprocess.Popen([sys.executable, "-c", code, str(tmp_path / "lock")], stdout=subprocess.PIPE)
    assert holder.stdout.readline() == b"held\n"
    with pytest.raises(MedflatError), locked(tmp_path / "lock"):
        pass
    holder.kill()
    holder.communicate()
    with locked(tmp_path / "lock"):
        pass
