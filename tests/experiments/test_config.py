import pytest
from thinc.api import Config

from spacy_medflat.errors import ExperimentError
from spacy_medflat.experiments.config import overridden, row_config
from spacy_medflat.experiments.matrix import Row

from .helpers import ROOT

CONFIG = Config({"a": {"b": 1, "c": {"d": 2}}, "e": {"f": None}})


def row(overrides=(), remove=(), config=ROOT / "configs" / "encoder_only.cfg", max_length=0):
    return Row("r", "R", config, dict(overrides), tuple(remove), (0,), max_length, "r")


def test_settings_are_removed_then_set_and_the_config_is_left_alone():
    found = overridden(CONFIG, {"a.b": 3, "a.g.h": 4, "e.f": {"@x": "y"}, "a.c.d": 5}, ["a.c"])
    assert found == {"a": {"b": 3, "g": {"h": 4}, "c": {"d": 5}}, "e": {"f": {"@x": "y"}}}
    assert CONFIG == {"a": {"b": 1, "c": {"d": 2}}, "e": {"f": None}}


def test_what_cannot_be_done_is_named():
    with pytest.raises(ExperimentError, match=r"a\.x cannot be removed"):
        overridden(CONFIG, {}, ["a.x"])
    with pytest.raises(ExperimentError, match=r"a\.b\.z cannot be set, a\.b is 1 and no section"):
        overridden(CONFIG, {"a.b.z": 1})
    with pytest.raises(ExperimentError, match=r"row r: components\.x cannot be removed"):
        row_config(row(remove=["components.x"]), 0, ROOT / "log")
    with pytest.raises(ExperimentError, match=r"row r: the config none\.cfg cannot be read"):
        row_config(row(config=ROOT.joinpath("none.cfg").relative_to(ROOT)), 0, ROOT / "log")


def test_the_config_of_a_run(tmp_path):
    found = row_config(row({"training.dropout": 0.3, "paths.dev": "d"}, max_length=128), 7, tmp_path / "log.jsonl")
    again = Config().from_str(found.to_str())
    assert again["system"]["seed"] == again["training"]["seed"] == 7
    assert again["training"]["dropout"] == 0.3 and again["corpora"]["dev"]["path"] == "d"
    assert again["corpora"]["train"]["max_length"] == 128 and again["corpora"]["dev"]["max_length"] == 0
    assert again["training"]["logger"]["output_file"] == str(tmp_path / "log.jsonl")
    assert again["training"]["logger"]["progress_bar"] is None
