"""Pipelines, a checkpoint and a run that an earlier version saved, see `make_saved.py`."""

import json
import shutil
from pathlib import Path

import pytest
import spacy
import torch
from packaging.version import Version
from typer.testing import CliRunner

from spacy_medflat.cli import medflat_cli

from ..training.runs import one_thread

HERE = Path(__file__).parent
EXPECTED = json.loads((HERE / "expected.json").read_text("utf8"))
# Other processors and other versions of torch round otherwise, training adds up what they round, and a run writes
# four digits.
LOADED, TRAINED, WRITTEN = 1e-5, 1e-3, 1.1e-4


@pytest.fixture(scope="module", autouse=True)
def single_thread():
    with one_thread():
        yield


def unpack(name, folder):
    shutil.unpack_archive(HERE / f"{name}.zip", folder / name)
    return folder / name


def run(*arguments, text=None):
    result = CliRunner().invoke(medflat_cli, [str(argument) for argument in arguments], input=text)
    assert result.exit_code == 0, result.output
    return result


def assert_finds(nlp, expected, tolerance):
    docs = list(nlp.pipe(row["text"] for row in expected))
    found = [[[span.start_char, span.end_char, span.label_] for span in doc.spans["sc"]] for doc in docs]
    assert found == [[span for *span, _ in row["spans"]] for row in expected]
    scores = [float(score) for doc in docs for score in doc.spans["sc"].attrs["scores"]]
    assert scores == pytest.approx([score for row in expected for *_, score in row["spans"]], rel=0, abs=tolerance)


@pytest.mark.parametrize("name", EXPECTED)
def test_a_saved_pipeline_finds_what_it_found(name, tmp_path):
    if name == "global_pointer":
        pytest.importorskip("jieba")
    assert_finds(spacy.load(unpack(name, tmp_path)), EXPECTED[name], LOADED)


def test_an_interrupted_training_goes_on(tmp_path, monkeypatch):
    monkeypatch.chdir(unpack("training", tmp_path))
    result = run("train", "zh_medflat.cfg", "--output", "out", "--resume")
    assert "Continuing after step 40" in result.output
    nlp, expected = spacy.load("out/model-last"), EXPECTED["zh_medflat"]
    if Version(torch.__version__) >= Version("2.13"):
        assert_finds(nlp, expected, TRAINED)
        return
    # Older ones draw and round otherwise, and training adds it up: the command warns that weights may differ.
    wanted = {(i, *span) for i, row in enumerate(expected) for *span, _ in row["spans"]}
    docs = enumerate(nlp.pipe(row["text"] for row in expected))
    found = {(i, span.start_char, span.end_char, span.label_) for i, doc in docs for span in doc.spans["sc"]}
    assert len(found & wanted) > 0.5 * len(found | wanted), (len(found), len(wanted), len(found & wanted))


def test_an_interrupted_annotation_goes_on(tmp_path):
    model, folder = unpack("zh_medflat", tmp_path), unpack("annotation", tmp_path)
    texts = (folder / "texts.jsonl").read_text("utf8")
    settings = ["--output", folder / "out.jsonl", "--model", model, "--n-process", "1"]
    result = run("annotate", "-", *settings, text=texts)
    assert "12 texts with" in result.stderr and "4 of them were done before" in result.stderr
    rows, whole = (
        [json.loads(line) for line in (folder / name).read_text("utf8").splitlines()]
        for name in ("out.jsonl", "whole.jsonl")
    )
    for row, expected in zip(rows, whole, strict=True):
        scores = [[entity.pop("score") for entity in one["entities"]] for one in (row, expected)]
        assert row == expected
        assert scores[0] == pytest.approx(scores[1], rel=0, abs=WRITTEN)
