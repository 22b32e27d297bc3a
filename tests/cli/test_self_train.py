"""`medflat self-train`, and a training on what it writes."""

import json
import os
import subprocess
import sys
import time

import pytest
import spacy
from spacy.training import Corpus
from typer.testing import CliRunner

from spacy_medflat.cli import medflat_cli
from spacy_medflat.corpus.formats.registry import read_records
from spacy_medflat.corpus.reader import create_cmeee_reader
from spacy_medflat.ensemble.build import make_ensemble

from ..pipelines import DATA, cnn_pipeline, train
from ..scale import faults
from ..scale.archives import write_lines

DEV = [text["text"] for text in json.loads((DATA / "dev.json").read_text(encoding="utf8"))]
SCORES = ["--sure", "0.3", "--unlikely", "0.05", "--n-process", "1"]


@pytest.fixture(scope="module")
def model(sample_model):
    return sample_model


@pytest.fixture
def notes(tmp_path):
    path = tmp_path / "notes.txt"
    path.write_text("".join(f"{text}\n" for text in [*DEV[:30], *[DEV[0]] * 1000, "12345"]), encoding="utf8")
    return path


def run(*arguments):
    return CliRunner().invoke(medflat_cli, ["self-train", *map(str, arguments)], env={"COLUMNS": "200"})


def test_a_corpus_that_a_training_reads(model, notes, tmp_path):
    output, report = tmp_path / "silver.spacy", tmp_path / "report.json"
    options = ["--weight", "0.5", "--with", DATA / "train.json", "--report", report, "--most", "3"]
    result = run(model, notes, "-o", output, *SCORES, *options)
    assert result.exit_code == 0, result.output
    told = "1,031 notes read, 30 texts of them kept; left out: 1,000 that were there before, 1 with too few letters"
    assert told in result.stdout
    assert "are not calibrated, so 0.3 need not mean that 30%" in result.stderr and "Traceback" not in result.output
    assert "may be entities" in result.stdout and "after 120 texts that were annotated before" in result.stdout
    counts = json.loads(report.read_text(encoding="utf8"))
    assert (counts["texts"], counts["joined"]) == (30, 120) and max(counts["sure"].values()) <= 3
    nlp = cnn_pipeline()
    for corpus in (create_cmeee_reader(output), Corpus(output)):
        examples = list(corpus(nlp))
        assert len(examples) == 150 and sum("sc_unknown" in eg.reference.spans for eg in examples) > 10
    optimizer = nlp.initialize(lambda: examples)
    first, last = {}, {}
    nlp.update(examples[-40:], sgd=optimizer, losses=first)
    for _ in range(3):
        last = nlp.update(examples[-40:], sgd=optimizer)
    assert last["medflat_ner"] < first["medflat_ner"]


def test_several_pipelines(model, notes, tmp_path):
    assert run(model, notes, "-o", tmp_path / "a.jsonl", *SCORES).exit_code == 0
    result = run(model, notes, "-o", tmp_path / "b.jsonl", *SCORES, "--also", model, "--agree", "all")
    assert result.exit_code == 0, result.output
    nlp = spacy.load(model)
    make_ensemble([nlp, nlp]).to_disk(tmp_path / "together")
    result = run(tmp_path / "together", notes, "-o", tmp_path / "c.jsonl", *SCORES)
    assert result.exit_code == 0 and "are not calibrated" in result.stderr
    found = [[(r.text, r.entities, r.unknown) for r in read_records(tmp_path / f"{name}.jsonl")] for name in "abc"]
    assert found[0] == found[1] == found[2]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nowhere"], "no pipeline 'nowhere'"),
        (["MODEL", "--text-field", "x", "--from", "jsonl"], "not JSON"),
        (["MODEL", "--from", "frob"], "unknown kind of input 'frob'"),
        (["MODEL", "--sure", "0.01"], "must be from 0.02 to 1"),
        (["MODEL", "--with", "gone.json"], "gone.json: no such file"),
        (["MODEL", "--report", "OUT"], "is one of the inputs"),
    ],
)
def test_errors_are_one_line(model, notes, tmp_path, arguments, message):
    words = {"MODEL": model, "OUT": tmp_path / "a.jsonl"}
    name, *options = (words.get(word, word) for word in arguments)
    result = run(name, notes, "-o", tmp_path / "a.jsonl", *options)
    assert result.exit_code == 1 and message in result.stderr, result.output
    assert "Traceback" not in result.output and sorted(path.name for path in tmp_path.iterdir()) == ["notes.txt"]


@pytest.mark.skipif(os.name == "nt", reason="no such signal")
def test_a_process_that_is_killed_goes_on(tmp_path):
    nlp = cnn_pipeline()
    train(nlp, 1)
    nlp.add_pipe("medflat_faults", first=True)
    nlp.to_disk(tmp_path / "model")
    notes = write_lines(tmp_path / "notes.jsonl", ({"text": f"右肺第{i}例结节"} for i in range(1100)))
    output = tmp_path / "silver.jsonl"
    arguments = [str(tmp_path / "model"), str(notes), "-o", str(output), *SCORES, "-c", faults.__file__]
    command = [sys.executable, "-m", "spacy", "medflat", "self-train", *arguments]
    process = subprocess.Popen(
        command, env={**os.environ, faults.SECONDS: "0.005"}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    receipts = tmp_path / "silver.jsonl.run" / "found-0.jsonl.run" / "_receipts"
    end = time.monotonic() + 300
    while process.poll() is None and not any(receipts.glob("*.json")) and time.monotonic() < end:
        time.sleep(0.02)
    process.kill()
    told = process.communicate()[0].decode()
    assert any(receipts.glob("*.json")) and not output.exists(), told
    assert run(*arguments).exit_code == 0
    assert run(*arguments[:3], tmp_path / "whole.jsonl", *arguments[4:]).exit_code == 0
    assert output.read_bytes() == (tmp_path / "whole.jsonl").read_bytes()
    assert sum(1 for _ in read_records(output)) == 1100
