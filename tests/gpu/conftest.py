"""The devices of these tests: a GPU, where torch and CuPy find one, and the CPU, where two runs of it are compared.

The second shows that the tests themselves are sound, and runs everywhere.
"""

import pytest
import torch
from thinc.api import require_cpu
from thinc.compat import has_cupy_gpu


def _reason():
    """Why there is no GPU to test on, None if there is one."""
    if not torch.cuda.is_available():
        return "torch finds no GPU"
    if not has_cupy_gpu:
        return "CuPy is not installed, or finds no GPU: install spacy-medflat[cuda12x] or spacy-medflat[cuda13x]"
    return None


def _device(name):
    if name == "cuda" and (reason := _reason()):
        pytest.skip(reason)
    return torch.device(name)


@pytest.fixture(params=["cpu", pytest.param("cuda", marks=pytest.mark.gpu)])
def device(request):
    return _device(request.param)


@pytest.fixture(params=[pytest.param("cuda", marks=pytest.mark.gpu)])
def gpu(request):
    """The GPU alone, for what a CPU does not have."""
    return _device(request.param)


@pytest.fixture(autouse=True)
def back_on_the_cpu():
    yield
    require_cpu()
