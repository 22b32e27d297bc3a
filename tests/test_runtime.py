import os

import pytest
import torch

from spacy_medflat.errors import MedflatError
from spacy_medflat.runtime import free_memory, processes_that_fit, usable_cpus, use_device

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


def test_no_gpu():
    if torch.cuda.is_available():
        pytest.skip("there is a GPU")
    use_device(-1)
    with pytest.raises(MedflatError, match="GPU 3 cannot be used: "):
        use_device(3)
