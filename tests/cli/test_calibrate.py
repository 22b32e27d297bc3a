"""`medflat calibrate` and `medflat lexicon add`."""

import json

import pytest
import spacy
from typer.testing import CliRunner

from spacy_medflat.cli import medflat_cli
from spacy_medflat.ensemble.build import make_ensemble

from ..ner.quick_fits import quick_fits
from ..pipelines import DATA, spans_of, transformer_pipeline, write_recipe

DEV = DATA / "dev.json"
NEW = "查见颅底凹陷，伴肘管，无殊"


@pytest.fixture(scope="module")
def model(sample_model):
    return sample_model


@pytest.fixture(scope="module")
def calibrated(model, tmp_path_factory):
    folder = tmp_path_factory.mktemp("calibrated")
    files = ("--report", folder / "report.json", "--page", folder / "page.html")
    result = run("calibrate", model, DEV, "-o", folder / "model", *files)
    assert result.exit_code == 0, result.output
    assert "calibrated on its logit alone" in result.output and "left out" not in result.output
    return folder


@pytest.fixture(autouse=True, scope="module")
def quick():
    with quick_fits():
        yield


def run(*arguments):
    return CliRunner().invoke(medflat_cli, [*map(str, arguments)], env={"COLUMNS": "200"})


def test_the_report_has_every_row_and_the_pipeline_its_thresholds(calibrated):
    report = json.loads((calibrated / "report.json").read_text(encoding="utf8"))
    assert report["chosen"] == "evidence" and list(report["rows"]) == ["head", "logit", "evidence"]
    for row in report["rows"].values():
        assert row["f1"] == pytest.approx(max(row["tuning"]["other_half"].values()))
        assert 0 < row["reliability"]["error"] < 1 and sum(n for *_, n in row["reliability"]["bins"]) > 50
    gain, rows = (
        report["gain"],
        {name: max(row["tuning"]["other_half"].values()) for name, row in report["rows"].items()},
    )
    assert gain["mean"] == pytest.approx(rows["evidence"] - rows["logit"]) and gain["low"] < gain["mean"] < gain["high"]
    assert "Of the spans with a score near" in (calibrated / "page.html").read_text(encoding="utf8")
    recognizer = spacy.load(calibrated / "model").get_pipe("medflat_ner")
    thresholds = report["rows"]["evidence"]["tuning"]["thresholds"]
    assert [recognizer.threshold_of(label) for label in recognizer.labels] == pytest.approx(thresholds, abs=1e-9)
    assert recognizer.calibrator.with_evidence is not None


def test_texts_of_the_training_are_left_out(model, tmp_path):
    texts = [json.loads((DATA / f"{name}.json").read_text(encoding="utf8")) for name in ("train", "dev")]
    mixed = tmp_path / "mixed.json"
    mixed.write_text(json.dumps(texts[0][:60] + texts[1], ensure_ascii=False), encoding="utf8")
    result = run("calibrate", model, mixed)
    assert result.exit_code == 0 and "60 texts left out, because the pipeline was trained on them" in result.output
    mixed.write_text(json.dumps(texts[0][:60], ensure_ascii=False), encoding="utf8")
    result = run("calibrate", model, mixed)
    assert result.exit_code == 1 and "was trained on all of these texts" in result.output


@pytest.mark.parametrize(
    ("entities", "message"),
    [
        ([], "none of these texts has a span with a label of the pipeline"),
        ([{"start_idx": 0, "end_idx": 1, "type": "unheard_of", "entity": "无殊"}], "none of these texts has a span"),
    ],
)
def test_texts_that_cannot_calibrate(model, tmp_path, entities, message):
    data = tmp_path / "dev.json"
    data.write_text(json.dumps([{"text": "无殊", "entities": entities}] * 4, ensure_ascii=False), encoding="utf8")
    result = run("calibrate", model, data, "-o", tmp_path / "out")
    assert result.exit_code == 1 and message in result.output and not (tmp_path / "out").exists()
    assert "Traceback" not in result.output


def test_five_gold_spans_and_a_label_that_is_absent(model, tmp_path):
    texts = json.loads(DEV.read_text(encoding="utf8"))
    kept = 5
    for text in texts:
        text["entities"] = [e for e in text["entities"] if e["type"] == "bod"][: max(kept, 0)]
        kept -= len(text["entities"])
    data = tmp_path / "few.json"
    data.write_text(json.dumps(texts, ensure_ascii=False), encoding="utf8")
    result = run("calibrate", model, data, "-o", tmp_path / "out")
    assert (result.exit_code, "Traceback" in result.output) in ((0, False), (1, False)), result.output
    if result.exit_code == 0:
        assert spacy.load(tmp_path / "out").get_pipe("medflat_ner").threshold_of("dis") == 0.5


def test_without_words(model, tmp_path):
    nlp = spacy.load(model)
    nlp.remove_pipe("lattice")
    nlp.to_disk(tmp_path / "bare")
    result = run("calibrate", tmp_path / "bare", DEV, "-o", tmp_path / "out")
    n_texts = len(json.loads(DEV.read_text(encoding="utf8")))
    assert result.exit_code == 0 and f"{n_texts} texts without the span group 'lattice'" in result.output
    assert run("lexicon", "add", tmp_path / "bare", DATA / "lexicon.tsv", "-o", tmp_path / "x").exit_code == 1


def test_without_held_out_texts_folds_are_left_out_in_turn(tmp_path, monkeypatch):
    nlp = transformer_pipeline(write_recipe(tmp_path / "encoder"))
    nlp.add_pipe("medflat_lattice", name="lattice", first=True, config={"words": {"path": str(DATA / "lexicon.tsv")}})
    texts = json.loads((DATA / "train.json").read_text(encoding="utf8"))[:30]
    data = tmp_path / "train.json"
    data.write_text(json.dumps(texts, ensure_ascii=False), encoding="utf8")
    reader = {"@readers": "spacy_medflat.CMeEE.v1", "path": str(data)}
    config = nlp.config
    config["corpora"] = {"train": reader, "dev": {**reader, "limit": 5}}
    config["training"].update(max_steps=30, eval_frequency=30, score_weights={"spans_sc_f": 1.0})
    config["training"]["annotating_components"] = ["lattice"]
    config["training"]["optimizer"]["learn_rate"] = 0.003
    config.to_disk(tmp_path / "config.cfg")
    done = run("train", tmp_path / "config.cfg", "-o", tmp_path / "trained")
    assert done.exit_code == 0, done.output
    arguments = ["calibrate", tmp_path / "trained" / "model-last", data, "--folds", "3", "-o", tmp_path / "out"]
    assert "--folds needs --work" in run(*arguments).output
    done = run(*arguments, "--work", tmp_path / "work")
    assert done.exit_code == 0 and "training without fold 3 of 3" in done.output, done.output
    for fold in (1, 2, 3):
        of_fold = spacy.load(tmp_path / "work" / f"fold-{fold}" / "model-last")
        known = [of_fold.get_pipe("medflat_ner").training_texts.know(text["text"]) for text in texts]
        assert known == [i % 3 != fold - 1 for i in range(30)]
    assert spacy.load(tmp_path / "out").get_pipe("medflat_ner").calibrator is not None
    again = run(*arguments, "--work", tmp_path / "work")
    assert again.exit_code == 0 and "training without" not in again.output
    fewer = run(*arguments[:4], "2", *arguments[5:], "--work", tmp_path / "work")
    assert fewer.exit_code == 1 and "fold-1 is of other texts, folds or settings" in fewer.output
    assert run(*arguments[:4], "1", *arguments[5:], "--work", tmp_path / "work").exit_code == 1


def test_an_ensemble_is_not_calibrated(model, tmp_path):
    nlp = spacy.load(model)
    make_ensemble([nlp, nlp]).to_disk(tmp_path / "together")
    result = run("calibrate", tmp_path / "together", DEV)
    assert result.exit_code == 1 and "calibrate the members" in result.output


def test_words_that_are_added_act_at_once(calibrated, tmp_path):
    words = tmp_path / "words.tsv"
    words.write_text("颅底凹陷\tdis\n肘管\t-\n", encoding="utf8")
    result = run("lexicon", "add", calibrated / "model", words, "-o", tmp_path / "more", "--type", "bod")
    assert result.exit_code == 0 and "2 words added to the source 'user'" in result.output, result.output
    assert "Warning" not in result.output
    found = spans_of(spacy.load(tmp_path / "more")(NEW))
    assert {(2, 6, "dis"), (8, 10, "bod")} <= set(found)
    result = run("lexicon", "add", tmp_path / "more", words, "-o", tmp_path / "less", "--no-entities")
    assert result.exit_code == 0, result.output
    assert not {(2, 6), (8, 10)} & {span[:2] for span in spans_of(spacy.load(tmp_path / "less")(NEW))}


def test_what_added_words_cannot_do_is_said(model, calibrated, tmp_path):
    words = tmp_path / "words.tsv"
    words.write_text("颅底凹陷\ttime\n", encoding="utf8")
    result = run("lexicon", "add", model, words, "-o", tmp_path / "a")
    assert result.exit_code == 0 and "no words count in the scores of this pipeline" in result.output
    result = run("lexicon", "add", calibrated / "model", words, "-o", tmp_path / "b")
    assert result.exit_code == 0 and "no labels of the pipeline: time" in result.output
    result = run("lexicon", "add", model, words, "-o", tmp_path / "c", "--source", "mine", "--no-entities")
    assert result.exit_code == 1 and "--no-entities is for the source 'user'" in result.output
