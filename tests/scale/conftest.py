"""Pipelines that the tests of this folder share."""

import os
from functools import lru_cache

import pytest
import spacy

from .archives import save_coder, save_judge, save_ruler


@pytest.fixture(scope="session")
def ruler(tmp_path_factory):
    return save_ruler(tmp_path_factory.mktemp("ruler"))


@pytest.fixture(scope="session")
def judge(tmp_path_factory):
    return save_judge(tmp_path_factory.mktemp("judge"))


@pytest.fixture(scope="session")
def coder(tmp_path_factory):
    return save_coder(tmp_path_factory.mktemp("coder"))


@pytest.fixture(scope="session")
def faulty(tmp_path_factory):
    return save_ruler(tmp_path_factory.mktemp("faulty"), faulty=True)


@pytest.fixture(scope="session")
def _load():
    return lru_cache(spacy.load)


@pytest.fixture
def fast(_load, monkeypatch):
    """Pipelines are loaded once only, and no disk is waited for."""
    monkeypatch.setattr(spacy, "load", lambda name, config: _load(str(name)))
    monkeypatch.setattr(os, "fsync", lambda descriptor: None)
