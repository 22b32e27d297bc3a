"""Fixtures and settings of the whole suite."""

import gc
import os
from pathlib import Path

import pytest
import torch
from hypothesis import settings

from .pipelines import cnn_pipeline, sample_pipeline, train

# A busy machine is no failure.
settings.register_profile("medflat", deadline=None)
settings.load_profile("medflat")

# Each process of `pytest -n` has a core of its own.
if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    torch.set_num_threads(1)

ROOT = Path(__file__).resolve().parents[1]


def pytest_collection_finish() -> None:
    """Spare each garbage collection a look at what imports made: most of all objects, and none of them ever goes."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """The research data: the folder MEDFLAT_DATA, relative to the repository; skips if there is none."""
    folder = (ROOT / os.environ.get("MEDFLAT_DATA", "../shared/data")).resolve()
    if not (folder / "cmeee" / "CMeEE_dev.json").exists():
        pytest.skip(f"no research data in {folder}: set MEDFLAT_DATA to the folder that holds cmeee/")
    return folder


@pytest.fixture(scope="session")
def sample_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The saved `sample_pipeline`. No test changes it."""
    path = tmp_path_factory.mktemp("sample_model")
    sample_pipeline().to_disk(path)
    return path


@pytest.fixture(scope="session")
def known_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A saved pipeline that knows five sentences, see `tests.pipelines.SENTENCES`. No test changes it."""
    nlp = cnn_pipeline()
    train(nlp, 100)
    path = tmp_path_factory.mktemp("known_model")
    nlp.to_disk(path)
    return path
