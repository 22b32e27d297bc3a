"""`python -m bench.gpu` where no GPU is: it says so, and the same code measures a CPU."""

import json

import pytest
import torch
from typer.testing import CliRunner

from bench import gpu, gpu_device, gpu_rows
from bench.gpu_device import Budget, covered


@pytest.fixture
def run():
    app = gpu.typer.Typer()
    app.command()(gpu.main)

    def call(*arguments):
        result = CliRunner().invoke(app, [str(argument) for argument in arguments])
        assert result.exit_code == 0, result.output
        return result.stdout

    return call


def test_without_a_gpu_nothing_is_measured(run, monkeypatch, tmp_path):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    output = tmp_path / "gpu.json"
    assert run("--output", output).startswith("Nothing is measured: torch finds no GPU.")
    assert not output.exists()


def test_the_same_code_on_a_cpu(run, monkeypatch, tmp_path):
    monkeypatch.setattr(gpu, "SHAPES", {"bert-base": gpu.TINY})
    monkeypatch.setattr(gpu, "TRAINING", {"clean": 0.05, "FGM": 0.05})
    output = tmp_path / "gpu.json"
    printed = run("--device", "cpu", "--small", "--steps", 1, "--batch", 2, "--output", output)
    rows = json.loads(output.read_text(encoding="utf8"))["rows"]
    assert [row["side"] for row in rows[:3]] == ["clean", "FGM", "mixed precision"]
    assert {row["side"] for row in rows[3:]} == {"flat", "plain", "naive"}
    assert all(row["speed"] > 0 and row["seconds"] > 0 for row in rows)
    table = output.with_suffix(".md").read_text(encoding="utf8")
    assert table in printed and table.count("\n|") == len(rows) + 2


def test_a_row_stops_when_its_time_is_used(monkeypatch):
    seconds, characters, done = gpu_rows._steps(lambda: 7, 5, 0.0, torch.device("cpu"))
    assert (characters, done) == (7, 1) and seconds >= 0
    clock = iter([100.0, 110.0, 400.0])
    monkeypatch.setattr(gpu_device, "monotonic", lambda: next(clock))
    budget = Budget(480.0, next(clock))
    assert budget.until(0.1) == 110.0 + 48.0
    assert budget.until(0.5) == 580.0


@pytest.mark.parametrize(
    ("spans", "length"), [([], 0.0), ([(0, 2), (1, 3), (5, 6)], 4.0), ([(0, 10), (2, 3), (9, 11)], 11.0)]
)
def test_what_kernels_cover_together(spans, length):
    assert covered(spans) == length
