import json
from dataclasses import replace

import pytest

from spacy_medflat.errors import MedflatError
from spacy_medflat.experiments.folder import RunFolder, prepare, read_log
from spacy_medflat.experiments.matrix import Row
from spacy_medflat.files import read_json

from .helpers import ROOT

ROW = Row("r", "R", ROOT / "configs" / "encoder_only.cfg", {"training.dropout": 0.2}, (), (0,), 0, "r")


def test_the_definition_is_written(tmp_path):
    folder = RunFolder.of(tmp_path, "r", 3)
    prepare(folder, ROW, 3)
    assert folder.path == tmp_path / "r" / "seed-3" and not folder.done
    row = json.loads(folder.row.read_text(encoding="utf8"))
    assert row["overrides"] == {"training.dropout": 0.2} and row["seed"] == 3 and row["config"] == "encoder_only.cfg"
    assert "dropout = 0.2" in folder.config.read_text(encoding="utf8")


def test_the_same_definition_is_let_through_under_another_title_and_from_another_place(tmp_path, monkeypatch):
    prepare(RunFolder.of(tmp_path, "r", 0), ROW, 0)
    monkeypatch.chdir(tmp_path)
    before = (tmp_path / "r" / "seed-0" / "config.cfg").read_text(encoding="utf8")
    prepare(RunFolder.of(tmp_path.relative_to(tmp_path), "r", 0), replace(ROW, title="Another"), 0)
    assert (tmp_path / "r" / "seed-0" / "config.cfg").read_text(encoding="utf8") == before


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"overrides": {"training.dropout": 0.3}}, r"training\.dropout: 0\.2, now 0\.3"),
        ({"max_length": 128}, r"corpora\.train\.max_length: 0, now 128; max_length: 0, now 128"),
        ({"scored": "last"}, r"scored: best, now last"),
        (
            {"remove": ("components.medflat_ner.model.dropout",)},
            r"model\.dropout: 0\.0, now '\(not set\)'",
        ),
    ],
)
def test_another_definition_is_refused_and_named(tmp_path, changed, message):
    folder = RunFolder.of(tmp_path, "r", 0)
    prepare(folder, ROW, 0)
    before = folder.config.read_bytes(), folder.row.read_bytes()
    with pytest.raises(MedflatError, match=message):
        prepare(folder, replace(ROW, **changed), 0)
    assert (folder.config.read_bytes(), folder.row.read_bytes()) == before


def test_json_of_a_run(tmp_path):
    (tmp_path / "a.json").write_text("[1]", encoding="utf8")
    with pytest.raises(MedflatError, match="not a JSON object"):
        read_json(tmp_path / "a.json")
    with pytest.raises(MedflatError, match="cannot be read"):
        read_json(tmp_path / "b.json")


def write(path, *rows):
    lines = (json.dumps(dict(zip(("started", "step", "score", "seconds"), row, strict=True))) for row in rows)
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf8")
    return path


def test_evaluations_and_time(tmp_path):
    found = read_log(write(tmp_path / "l", (1e9, 0, 0.1, 3), (1e9, 5, 0.2, 10), (1e9, 10, 0.3, 17)))
    assert (found.steps, found.scores, found.seconds) == ([0, 5, 10], [0.1, 0.2, 0.3], 17)


def test_an_interrupted_training_counts_all_its_time_and_its_last_word(tmp_path):
    found = read_log(write(tmp_path / "l", (1, 0, 0.1, 3), (1, 5, 0.2, 10), (70, 5, 0.25, 8), (90, 10, 0.3, 15)))
    assert (found.steps, found.scores, found.seconds) == ([0, 5, 10], [0.1, 0.25, 0.3], 33)


def test_bad_logs(tmp_path):
    with pytest.raises(MedflatError, match="there is no log"):
        read_log(tmp_path / "l")
    (tmp_path / "l").write_text('{"step": 0}\n', encoding="utf8")
    with pytest.raises(MedflatError, match=r"l line 1: no line of a training log"):
        read_log(tmp_path / "l")
