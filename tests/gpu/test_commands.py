"""Commands with --gpu-id: the same outcome as on a CPU."""

import json

import pytest
from thinc.api import require_cpu
from typer.testing import CliRunner

from spacy_medflat.cli import medflat_cli

from ..encoder.pretraining.corpora import small_recipe, write_texts
from ..pipelines import SENTENCES, train, transformer_pipeline, write_recipe
from ..selection.notes import documents
from .devices import gpu_id


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    folder = tmp_path_factory.mktemp("model")
    nlp = transformer_pipeline(write_recipe(folder / "recipe"))
    train(nlp, 25, rate=0.01)
    nlp.to_disk(folder / "model")
    return folder / "model"


@pytest.fixture
def notes(tmp_path):
    path = tmp_path / "notes.jsonl"
    texts = [document.text for document in documents(12)] + [text for text, _ in SENTENCES]
    lines = (json.dumps({"id": f"n{i}", "text": text}, ensure_ascii=False) for i, text in enumerate(texts))
    path.write_text("\n".join(lines), encoding="utf8")
    return path


def run(*arguments):
    result = CliRunner().invoke(medflat_cli, [str(argument) for argument in arguments], env={"COLUMNS": "200"})
    require_cpu()
    assert result.exit_code == 0, result.output
    return result


def _entities(path):
    rows = [json.loads(line) for line in path.read_text(encoding="utf8").splitlines()]
    places = [[(e["start"], e["end"], e["label"]) for e in row["entities"]] for row in rows]
    return places, [e["score"] for row in rows for e in row["entities"]]


def test_annotate(gpu, model, notes, tmp_path):
    found = []
    for place, i in (("device", gpu_id(gpu)), ("cpu", -1)):
        output = tmp_path / f"{place}.jsonl"
        run("annotate", notes, "-o", output, "--model", model, "--gpu-id", i, "--n-process", 1, "--force")
        found.append(_entities(output))
    (places, scores), (wanted, wanted_scores) = found
    assert places == wanted and sum(map(len, wanted)) > 5
    assert scores == pytest.approx(wanted_scores, abs=1e-3)


def test_self_train_reads(gpu, model, notes, tmp_path):
    found = []
    for place, i in (("device", gpu_id(gpu)), ("cpu", -1)):
        output = tmp_path / f"{place}-silver.jsonl"
        choice = ("--sure", 0.3, "--unlikely", 0.05, "--n-process", 1)
        run("self-train", model, notes, "-o", output, *choice, "--gpu-id", i, "--force")
        found.append(_entities(output)[0])
    assert found[0] == found[1] and any(found[1])


def test_select_reads(gpu, model, notes, tmp_path):
    found = []
    for place, i in (("device", gpu_id(gpu)), ("cpu", -1)):
        output = tmp_path / f"{place}-tasks.jsonl"
        report = tmp_path / f"{place}.json"
        run("select", model, notes, "--count", 4, "-o", output, "--report", report, "--gpu-id", i)
        chosen = json.loads(report.read_text(encoding="utf8"))["chosen"]
        found.append([(note["id"], note["suggestions"]) for note in chosen])
    assert found[0] == found[1] and len(found[1]) == 4


def test_pretrain(gpu, tmp_path):
    texts = write_texts(tmp_path / "notes.txt")
    recipe = small_recipe(tmp_path / "recipe", dropout=0.0)
    losses = []
    for place, i in (("device", gpu_id(gpu)), ("cpu", -1)):
        output = tmp_path / place
        steps = ("--batch", 4, "--length", 24, "--steps", 6, "--evaluations", 2, "--full-precision")
        run("pretrain", texts, "-e", recipe, "-o", output, *steps, "--gpu-id", i)
        description = json.loads((output / "pretraining.json").read_text(encoding="utf8"))
        losses.append([look["loss"] for look in description["evaluations"]])
    assert losses[0] == pytest.approx(losses[1], rel=1e-2) and len(losses[1]) == 3
