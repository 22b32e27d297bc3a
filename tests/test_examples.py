"""Each script in examples/ does what it says."""

import json
import re
import runpy
import sys
from pathlib import Path

import pytest
import spacy

from .pipelines import DATA, SENTENCES, flat_pipeline, train
from .serve.fakes import make_service, serving

EXAMPLES = Path(__file__).parent.parent / "examples"


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    folder = tmp_path_factory.mktemp("model")
    nlp = flat_pipeline(folder / "lexicon.tsv")
    train(nlp, 60, annotates=["lattice"])
    nlp.to_disk(folder / "pipeline")
    return folder / "pipeline"


@pytest.fixture
def corpus(tmp_path):
    rows = [
        {"text": text, "entities": [{"start_idx": s, "end_idx": e - 1, "type": label} for s, e, label in spans]}
        for text, spans in SENTENCES
    ]
    path = tmp_path / "corpus.json"
    path.write_text(json.dumps(rows, ensure_ascii=False), encoding="utf8")
    return path


@pytest.fixture
def run(monkeypatch, capsys):
    def run(name, *arguments):
        monkeypatch.setattr(sys, "argv", [name, *map(str, arguments)])
        runpy.run_path(str(EXAMPLES / f"{name}.py"), run_name="__main__")
        return capsys.readouterr().out

    return run


def test_every_example_is_tested():
    source = Path(__file__).read_text(encoding="utf8")
    assert all(f'run("{path.stem}"' in source for path in EXAMPLES.glob("*.py"))


def test_read_a_text(run, model):
    lines = run("read_a_text", model, "右肺上叶腺癌术后").splitlines()
    assert any(re.fullmatch(r"0-4 bod 右肺上叶 [\d.]+, inside 右肺上叶腺癌.*", line) for line in lines)


def test_pipe_to_jsonl(run, model, tmp_path):
    (tmp_path / "notes.txt").write_text("右肺上叶腺癌术后\n\n无殊\n", encoding="utf8")
    run("pipe_to_jsonl", model, tmp_path / "notes.txt", tmp_path / "out.jsonl")
    rows = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text(encoding="utf8").splitlines()]
    assert [row["line"] for row in rows] == [1, 2, 3]
    assert {"start": 0, "end": 4, "label": "bod"} in rows[0]["entities"] and rows[1]["entities"] == []


def test_add_words(run, model, tmp_path):
    assert "('经皮肾镜', 'pro')" in run("add_words", model, "经皮肾镜", "pro", tmp_path / "out")
    doc = spacy.load(tmp_path / "out")("经皮肾镜")
    assert [span.text for span in doc.spans["lattice"]] == ["经皮肾镜"]


def test_train_in_python(run, corpus, tmp_path):
    printed = run("train_in_python", corpus, tmp_path / "out", 80)
    assert float(re.search(r"F1 .*: ([\d.]+)", printed)[1]) > 0.8
    assert spacy.load(tmp_path / "out")("右肺上叶腺癌术后").text


def test_client(run, monkeypatch):
    monkeypatch.delenv("MEDFLAT_TOKEN", raising=False)
    with serving(make_service()) as port:
        printed = run("client", f"http://127.0.0.1:{port}", "患者咳嗽", "无殊")
    assert [line.strip() for line in printed.splitlines()] == ["患者咳嗽", "2 4 sym 咳嗽 0.9", "无殊"]


def test_a_client_of_a_service_that_wants_another_token(run, monkeypatch):
    monkeypatch.setenv("MEDFLAT_TOKEN", "a-wrong-token")
    with (
        serving(make_service(token="the-right-token")) as port,
        pytest.raises(SystemExit, match=r"401: .*send the header"),
    ):
        run("client", f"http://127.0.0.1:{port}", "患者咳嗽")


def test_flat_under_spacy_ner(run):
    printed = run("flat_under_spacy_ner", DATA / "train.json", 60)
    assert float(re.search(r"F1 .*: ([\d.]+)", printed)[1]) > 0.05
