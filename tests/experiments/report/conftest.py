"""Example experiments that the tests of the report read."""

import pytest

from spacy_medflat.experiments.report.results import read_results

from .example_runs import write_experiments

ROWS = {"plain": (0.7, [0, 1]), "cut": (0.6, [0]), "better": (0.9, [0, 1, 2])}


@pytest.fixture(scope="session")
def experiments(tmp_path_factory):
    return write_experiments(tmp_path_factory.mktemp("experiments"), ROWS)


@pytest.fixture(scope="session")
def results(experiments):
    return read_results(experiments)
