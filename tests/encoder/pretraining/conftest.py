"""Fixtures of the tests of pretraining."""

import os
from collections.abc import Iterator

import pytest

from spacy_medflat.runtime import torch_threads


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    """In steps so small threads wait for each other."""
    with torch_threads(1):
        yield


@pytest.fixture(autouse=True)
def no_waiting_for_disks(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test cuts the power, and a busy disk takes a second for each file."""
    monkeypatch.setattr(os, "fsync", lambda descriptor: None)
