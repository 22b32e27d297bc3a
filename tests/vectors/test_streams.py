import zipfile

import pytest

from spacy_medflat.errors import MedflatError
from spacy_medflat.vectors.streams import inner_suffix, open_stream

from .files import pack

DATA = "肺癌 1 2\n".encode() * 5000


@pytest.mark.parametrize("name", ["a.txt", "a", "a.gz", "a.txt.bz2", "a.xz", "a.zip"])
def test_reads_and_knows_its_position(tmp_path, name):
    path = pack(tmp_path / name, DATA)
    with open_stream(path) as stream:
        assert stream.file.read() == DATA
        assert 0 < stream.position() <= path.stat().st_size


@pytest.mark.parametrize("suffix", [".gz", ".bz2", ".xz", ".zip"])
@pytest.mark.parametrize("damage", ["cut", "other"])
def test_damaged(tmp_path, suffix, damage):
    path = pack(tmp_path / f"a{suffix}", DATA)
    path.write_bytes(path.read_bytes()[:-30] if damage == "cut" else b"no such format" * 10)
    with pytest.raises(MedflatError, match="damaged or cut short"), open_stream(path) as stream:
        stream.file.read()


def test_a_zip_needs_one_member(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("a.txt", "a")
        archive.writestr("b.txt", "b")
    with pytest.raises(MedflatError, match=r"holds 2 files \(a.txt, b.txt\)"), open_stream(tmp_path / "a.zip"):
        pass


@pytest.mark.parametrize(("place", "value", "message"), [((6, 8), 1, "encrypted"), ((8, 10), 99, "not supported")])
def test_a_zip_that_cannot_be_unpacked(tmp_path, place, value, message):
    path = pack(tmp_path / "a.zip", DATA)
    data = bytearray(path.read_bytes())
    local, central = place
    data[local] = data[data.find(b"PK\x01\x02") + central] = value
    path.write_bytes(data)
    with pytest.raises(MedflatError, match=rf"a\.zip: .*{message}.*; unpack it"), open_stream(path):
        pass


def test_errors_of_the_system_and_of_the_block_pass_through(tmp_path):
    with pytest.raises(FileNotFoundError), open_stream(tmp_path / "none.bz2"):
        pass
    with pytest.raises(ZeroDivisionError), open_stream(pack(tmp_path / "a.gz", DATA)):
        raise ZeroDivisionError


@pytest.mark.parametrize(("name", "suffix"), [("a.txt", ".txt"), ("a.txt.gz", ".txt"), ("a.gz", ""), ("a.b", ".b")])
def test_inner_suffix(tmp_path, name, suffix):
    assert inner_suffix(tmp_path / name) == suffix
