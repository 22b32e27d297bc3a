import os
import signal
import threading

import numpy as np
import pytest
import torch

from spacy_medflat.errors import MedflatError
from spacy_medflat.runtime import (
    bfloat16_pays,
    free_memory,
    processes_that_fit,
    stop_asked,
    to_device,
    torch_device,
    usable_cpus,
    use_device,
)

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


@pytest.mark.parametrize(
    "vendor, flags, pays",
    [
        ("AuthenticAMD", "fpu avx512f", False),
        ("AuthenticAMD", "fpu avx512f avx512_bf16", True),
        ("GenuineIntel", "fpu avx512f avx512_bf16", False),
        ("GenuineIntel", "fpu avx512f avx512_bf16 amx_bf16", True),
    ],
)
def test_cpus_where_bfloat16_pays(tmp_path, vendor, flags, pays):
    cpuinfo = tmp_path / "cpuinfo"
    assert not bfloat16_pays(torch.device("cpu"), cpuinfo)
    cpuinfo.write_text(f"vendor_id\t: {vendor}\nflags\t\t: {flags}\n")
    assert bfloat16_pays(torch.device("cpu"), cpuinfo) == pays


def test_a_device_for_torch_alone():
    assert torch_device(-1).type == "cpu"
    with pytest.raises(MedflatError, match="GPU 99 cannot be used"):
        torch_device(99)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_is_an_order_to_stop_the_first_time(number):
    before = signal.getsignal(number)
    with stop_asked() as stop:
        assert not stop()
        signal.raise_signal(number)
        assert stop() and signal.getsignal(number) is before
    assert signal.getsignal(number) is before


def test_other_threads_have_no_signals():
    answers = []

    def work():
        with stop_asked() as stop:
            answers.append(stop())

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert answers == [False]


def test_values_for_a_cpu_stay_where_they_are():
    array, cpu = np.arange(3), torch.device("cpu")
    tensor = to_device(array, cpu)
    assert tensor.data_ptr() == array.ctypes.data and to_device(tensor, cpu) is tensor
