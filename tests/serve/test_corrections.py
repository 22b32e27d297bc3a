import json
import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from spacy_medflat.corpus.formats.registry import read_records
from spacy_medflat.errors import MedflatError
from spacy_medflat.serve.answers import ServeError
from spacy_medflat.serve.corrections import CorrectionsFile

RECORD = {"id": "n1", "text": "咳嗽 <b>", "entities": [{"start": 0, "end": 2, "label": "sym"}]}


def test_records_are_added_as_training_reads_them(tmp_path):
    file = CorrectionsFile(tmp_path / "folder" / "corrections.jsonl")
    file.check()
    file.add([RECORD])
    file.add([{**RECORD, "unknown": [{"start": 3, "end": 4, "label": "dis"}]}, RECORD])
    first, second, _ = read_records(file.path)
    assert (first.id, first.text, len(first.entities), len(second.unknown)) == ("n1", "咳嗽 <b>", 1, 1)
    assert file.path.stat().st_mode & 0o777 == 0o600


def test_a_line_that_was_cut_off_does_not_damage_the_next(tmp_path):
    path = tmp_path / "corrections.jsonl"
    path.write_text('{"text": "cut', encoding="utf8")
    CorrectionsFile(path).add([RECORD])
    assert [line[:8] for line in path.read_text("utf8").splitlines()] == ['{"text":', '{"id":"n']


@pytest.mark.parametrize("failing", ["write", "fsync"])
def test_what_cannot_be_added_whole_is_not_added(failing, tmp_path, monkeypatch):
    file = CorrectionsFile(tmp_path / "corrections.jsonl")
    file.add([RECORD])
    before = file.path.read_bytes()
    write, left = os.write, [10]

    def fails(descriptor, data=b""):
        if failing == "write" and left[0]:
            # As on a disk that is nearly full: some of it is written first.
            done, left[0] = write(descriptor, bytes(data[: left[0]])), 0
            return done
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, failing, fails)
    with pytest.raises(ServeError, match="No space left on device; none of them is") as error:
        file.add([RECORD])
    monkeypatch.undo()
    assert error.value.status == 507 and file.path.read_bytes() == before
    file.add([RECORD])
    assert len(list(read_records(file.path))) == 2


@pytest.mark.skipif(not hasattr(resource, "RLIMIT_FSIZE"), reason="no limit of file sizes")
def test_a_file_that_may_not_grow(tmp_path):
    path = tmp_path / "corrections.jsonl"
    code = f"""
import json, resource, sys
from pathlib import Path
from spacy_medflat.serve.answers import ServeError
from spacy_medflat.serve.corrections import CorrectionsFile
resource.setrlimit(resource.RLIMIT_FSIZE, (300, 300))
file, added = CorrectionsFile(Path(sys.argv[1])), 0
try:
    for added in range(100):
        file.add([{RECORD!r}])
except ServeError as error:
    print(added, error.status)
"""
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", code, str(path)], capture_output=True, text=True, cwd=root, check=True
    ).stdout.split()
    lines = path.read_text("utf8").splitlines()
    assert done == [str(len(lines)), "507"] and 0 < len(lines) < 10
    assert all(json.loads(line)["id"] == "n1" for line in lines)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full")
def test_a_device_without_room():
    with pytest.raises(ServeError) as error:
        CorrectionsFile(Path("/dev/full")).add([RECORD])
    assert error.value.status == 507


def test_a_place_that_cannot_be_written_is_an_error_at_the_start(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(MedflatError, match="corrections cannot be kept there"):
        CorrectionsFile(tmp_path / "file" / "corrections.jsonl").check()
    with pytest.raises(MedflatError, match="corrections cannot be kept there"):
        CorrectionsFile(tmp_path).check()
