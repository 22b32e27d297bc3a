import os

import pytest

from spacy_medflat.corpus.record import CorpusError
from spacy_medflat.scale.machine import free_memory, processes_that_fit, usable_cpus
from spacy_medflat.scale.model_files import model_folder, model_identity

GIB = 2**30


@pytest.mark.parametrize(
    ("model_bytes", "input_bytes", "cpus", "memory", "expected"),
    [
        (0, None, 8, None, 8),
        (GIB, None, 8, 16 * GIB, 4),
        (GIB, None, 2, 16 * GIB, 2),
        (GIB, None, 8, GIB, 1),
        (0, 10, 8, None, 1),
        (0, 3 * 2**20, 8, None, 4),
    ],
)
def test_as_many_processes_as_cpus_memory_and_input_allow(model_bytes, input_bytes, cpus, memory, expected):
    assert processes_that_fit(model_bytes, input_bytes, cpus, memory) == expected


def test_free_memory_is_the_least_of_machine_and_container(tmp_path):
    meminfo = tmp_path / "meminfo"
    assert free_memory(meminfo, tmp_path) is None
    meminfo.write_text("MemTotal:  900 kB\nMemAvailable:     200 kB\n\n")
    assert free_memory(meminfo, tmp_path) == 200 * 1024
    (tmp_path / "memory.max").write_text("max\n")
    assert free_memory(meminfo, tmp_path) == 200 * 1024
    (tmp_path / "memory.max").write_text("1000\n")
    assert free_memory(meminfo, tmp_path) == 1000


def test_this_machine():
    assert 1 <= usable_cpus() <= (os.cpu_count() or 1)


def test_the_identity_of_a_pipeline_is_what_its_files_hold(ruler, tmp_path):
    (tmp_path / "config.cfg").write_text("a")
    first = model_identity(tmp_path)
    (tmp_path / "__pycache__").mkdir()
    (tmp_path / "__pycache__" / "x.pyc").write_text("x")
    assert model_identity(tmp_path) == first and first[1] == 1
    (tmp_path / "config.cfg").write_text("b")
    assert model_identity(tmp_path)[0] != first[0]
    assert model_folder(str(ruler)) == ruler
    with pytest.raises(CorpusError, match="neither an installed package nor a folder"):
        model_folder(str(tmp_path / "none"))
