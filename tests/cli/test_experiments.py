import json
from datetime import date

import pytest
from typer.testing import CliRunner

from spacy_medflat.cli import medflat_cli

from ..experiments.helpers import write_matrix
from ..experiments.processes import stay_in_process
from ..training.runs import one_thread

ROWS = [
    {"name": "plain", "title": "The plain one", "overrides": {"training.dropout": "${dropout}"}},
    {"name": "cut", "extends": "plain", "max_length": 20},
    {"name": "broken", "extends": "plain", "overrides": {"paths.train": "nowhere.json"}},
    {"name": "large", "extends": "plain", "needs": ["large_encoder", "gpu"]},
]


@pytest.fixture(autouse=True)
def in_process(monkeypatch):
    stay_in_process(monkeypatch)
    with one_thread():
        yield


@pytest.fixture
def matrix(tmp_path):
    return write_matrix(tmp_path, ROWS)


def run(*arguments):
    result = CliRunner().invoke(medflat_cli, ["experiments", *map(str, arguments)], env={"COLUMNS": "150"})
    assert "Traceback" not in result.output
    return result


def test_a_matrix_is_trained_resumed_listed_and_reported(matrix, tmp_path):
    output = tmp_path / "out"
    first = run(matrix, "-o", output, "--set", "dropout=0.1")
    assert first.exit_code == 1
    assert "large: not run: needs large_encoder, a GPU" in first.output
    assert "broken, seed 0: failed: training failed" in first.output and "cut, seed 0: done" in first.output
    assert "1 of 3 runs failed: broken, seed 0" in first.output
    assert not (output / "large").exists()
    assert "lost: they reach beyond the first 20 characters" not in first.output
    before = (output / "plain" / "seed-0" / "scores.json").stat().st_mtime_ns
    again = run(matrix, "-o", output, "--set", "dropout=0.1", "--only", "plain,cut")
    assert again.exit_code == 0 and "plain, seed 0: was done before" in again.output
    assert (output / "plain" / "seed-0" / "scores.json").stat().st_mtime_ns == before
    changed = run(matrix, "-o", output, "--set", "dropout=0.2", "--only", "plain")
    assert changed.exit_code == 1 and "training.dropout: 0.1, now 0.2" in changed.output
    listed = run(matrix, "-o", output, "--list")
    assert listed.exit_code == 0 and "The plain one" in listed.output and "1 of 1" in listed.output
    page = CliRunner().invoke(medflat_cli, ["report", str(output), "-o", str(tmp_path / "r.html")])
    assert page.exit_code == 0, page.output
    assert "seed 0 failed" in (tmp_path / "r.html").read_text(encoding="utf8")


def test_a_row_that_no_config_can_hold_does_not_stop_the_others(tmp_path):
    rows = [{"name": "dated", "overrides": {"paths.train": date(2020, 1, 1)}}, {"name": "plain"}]
    result = run(write_matrix(tmp_path, rows), "-o", tmp_path / "out")
    assert result.exit_code == 1
    assert "dated, seed 0: failed: row dated: no config can be written" in result.output
    assert "plain, seed 0: done" in result.output


def test_seeds_of_the_command_line(matrix, tmp_path):
    done = run(matrix, "-o", tmp_path / "out", "--set", "dropout=0.1", "--only", "plain", "--seeds", "4")
    assert done.exit_code == 0, done.output
    row = json.loads((tmp_path / "out" / "plain" / "seed-4" / "row.json").read_text(encoding="utf8"))
    assert row["seed"] == 4


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--set", "dropout"], "give a name and a value"),
        (["--set", "drop=1"], "no variable drop"),
        (["--only", "none"], "no row none"),
        (["--seeds", "1,x"], "'x' is no whole number"),
    ],
)
def test_bad_input_is_one_line(matrix, tmp_path, arguments, message):
    result = run(matrix, "-o", tmp_path / "out", *arguments)
    assert result.exit_code == 1 and message in result.output and not (tmp_path / "out").exists()


def test_no_matrix(tmp_path):
    result = run(tmp_path / "none.yml", "-o", tmp_path / "out")
    assert result.exit_code == 1 and "none.yml: No such file" in result.output
