"""The commands that run a trained pipeline: ensemble, evaluate, find-thresholds, render."""

import json
import shutil
import subprocess
import sys
from importlib import import_module

import pytest
import spacy
from spacy.language import Language
from typer.testing import CliRunner

from spacy_medflat._internals import import_code
from spacy_medflat.cli import medflat_cli
from spacy_medflat.cli.common import load_pipeline
from spacy_medflat.linking.rows import CodeRow
from spacy_medflat.ner.thresholds import Tuning

from ..pipelines import SENTENCES, cnn_pipeline, spans_of, train, transformer_pipeline, write_recipe


@pytest.fixture(scope="module")
def model(known_model):
    return known_model


@pytest.fixture
def data(tmp_path):
    path = tmp_path / "dev.json"
    records = [
        {"text": text, "entities": [{"start_idx": s, "end_idx": e - 1, "type": label} for s, e, label in spans]}
        for text, spans in SENTENCES
    ]
    path.write_text(json.dumps(records, ensure_ascii=False), encoding="utf8")
    return path


def run(*arguments):
    return CliRunner().invoke(medflat_cli, [str(argument) for argument in arguments], env={"COLUMNS": "100"})


def test_evaluate(model, data, tmp_path):
    result = run("evaluate", model, data, "-o", tmp_path / "scores.json")
    assert result.exit_code == 0, result.output
    scores = json.loads((tmp_path / "scores.json").read_text(encoding="utf8"))
    assert scores["spans_sc_f"] == scores["spans_sc_nested_f"] == 1.0
    assert set(scores["spans_sc_per_type"]) == {"bod", "dis", "pro", "sym", "dru"}
    for row in ("all", "nested", "outer", "inner", "flat", "dru"):
        assert any(line.split()[:1] == [row] and "100.00" in line for line in result.output.splitlines()), row


def test_evaluate_by_a_field(model, data, tmp_path):
    records = json.loads(data.read_text(encoding="utf8"))
    for record, kind in zip(records, ["report", "report", "order"], strict=False):
        record["kind"] = kind
    data.write_text(json.dumps(records, ensure_ascii=False), encoding="utf8")
    result = run("evaluate", model, data, "--by", "kind", "-o", tmp_path / "scores.json")
    assert result.exit_code == 0, result.output
    by = json.loads((tmp_path / "scores.json").read_text(encoding="utf8"))["by"]["kind"]
    assert {kind: scores["texts"] for kind, scores in by.items()} == {"order": 1, "report": 2, "–": 2}
    assert by["report"]["f"] == 1.0
    assert any(line.split() == ["report", "2", "100.00", "100.00", "100.00"] for line in result.output.splitlines())


def test_evaluate_in_a_precision_that_the_pipeline_does_not_say(model, data, tmp_path):
    result = run("evaluate", model, data, "--mixed-precision")
    assert result.exit_code == 1 and "has a mixed precision" in " ".join(result.output.split())
    nlp = transformer_pipeline(write_recipe(tmp_path / "encoder"))
    train(nlp, 1)
    nlp.to_disk(tmp_path / "single")
    mixed, _ = load_pipeline(str(tmp_path / "single"), -1, mixed_precision=True)
    mixed.to_disk(tmp_path / "mixed")
    for folder, precision, expected in (
        ("single", None, False),
        ("single", True, True),
        ("mixed", None, True),
        ("mixed", False, False),
    ):
        loaded, _ = load_pipeline(str(tmp_path / folder), -1, precision)
        assert loaded.config["components"]["transformer"]["model"]["mixed_precision"] is expected
    for option in ("--mixed-precision", "--full-precision"):
        result = run("evaluate", tmp_path / "mixed", data, option)
        assert result.exit_code == 0, result.output


@pytest.fixture(scope="module")
def strict(model, tmp_path_factory):
    """The same pipeline with a threshold that almost nothing passes."""
    nlp = spacy.load(model)
    nlp.get_pipe("medflat_ner").cfg["threshold"] = 1 - 1e-9
    path = tmp_path_factory.mktemp("strict")
    nlp.to_disk(path)
    return path


def test_find_thresholds_saves_what_it_found(strict, data, tmp_path):
    result = run(
        "find-thresholds", strict, data, "-o", tmp_path / "tuned", "--report", tmp_path / "t.json", "--min-gold", 1
    )
    assert result.exit_code == 0, result.output
    report = json.loads((tmp_path / "t.json").read_text(encoding="utf8"))
    assert report["before"] < report["after"] and report["choice"] in ("common", "labels")
    tuned = spacy.load(tmp_path / "tuned")
    recognizer = tuned.get_pipe("medflat_ner")
    # spaCy's settings are read back with a little noise.
    assert recognizer.cfg["label_thresholds"] == pytest.approx(report["thresholds"], abs=1e-9)
    found = {label: recognizer.threshold_of(label) for label in recognizer.labels}
    assert found == pytest.approx(report["thresholds"], abs=1e-9)


def test_thresholds_that_do_not_help_are_not_saved(model, data, tmp_path):
    result = run("find-thresholds", model, data, "-o", tmp_path / "same", "--min-gold", 1)
    assert result.exit_code == 0 and "those of now stay" in result.output, result.output
    assert spacy.load(tmp_path / "same").get_pipe("medflat_ner").cfg["label_thresholds"] == {}


def test_thresholds_are_saved_as_they_were_scored(model, data, tmp_path, monkeypatch):
    near_one = Tuning("labels", [0.999961] * 5, 0.5, 1.0, {"labels": 1.0}, [[0.999961] * 5] * 2)
    # The package names the command as its module.
    monkeypatch.setattr(import_module("spacy_medflat.cli.find_thresholds"), "tune", lambda *_, **__: near_one)
    result = run("find-thresholds", model, data, "-o", tmp_path / "tuned")
    assert result.exit_code == 0, result.output
    saved = spacy.load(tmp_path / "tuned").get_pipe("medflat_ner").cfg["label_thresholds"]
    assert list(saved.values()) == pytest.approx([0.999961] * 5, abs=1e-9)


def test_a_tuned_pipeline_is_replaced_whole_or_not_at_all(model, data, tmp_path, monkeypatch):
    tuned = tmp_path / "tuned"
    assert run("find-thresholds", model, data, "-o", tuned).exit_code == 0
    (tuned / "of_the_first").touch()
    with monkeypatch.context() as patch:
        patch.setattr(Language, "to_disk", lambda *_, **__: (_ for _ in ()).throw(OSError("no space left")))
        failed = run("find-thresholds", model, data, "-o", tuned)
    assert failed.exit_code == 1 and "no space left" in failed.output
    assert (tuned / "of_the_first").exists() and spans_of(spacy.load(tuned)("右肺上叶腺癌术后"))
    assert run("find-thresholds", model, data, "-o", tuned).exit_code == 0
    assert not (tuned / "of_the_first").exists()


def test_find_one_threshold_without_saving(model, data):
    before = sorted(path.name for path in model.rglob("*"))
    result = run("find-thresholds", model, data, "--one")
    assert result.exit_code == 0, result.output
    assert sorted(path.name for path in model.rglob("*")) == before


@pytest.mark.parametrize(
    "command",
    [
        ["evaluate", "{model}", "{data}", "-o", "{data}"],
        ["find-thresholds", "{model}", "{data}", "--report", "{data}"],
        ["render", "{model}", "--file", "{data}", "--html", "{data}"],
        ["convert", "{data}", "{data}"],
        ["convert", "{data}", "{data}l", "--report", "{data}"],
        ["check-data", "{data}", "--json", "{data}"],
        ["lexicon", "build", "{data}", "{data}"],
    ],
)
def test_no_output_takes_the_place_of_an_input(model, data, command):
    before = data.read_bytes()
    result = run(*(part.format(model=model, data=data) for part in command))
    assert result.exit_code == 1 and "is one of the inputs" in result.output.replace("\n", "")
    assert data.read_bytes() == before


@pytest.mark.parametrize(
    "command", [["evaluate"], ["render"], ["find-thresholds"], ["ensemble", "-o", "{out}", "{ok}"]]
)
def test_a_pipeline_that_cannot_be_loaded_is_one_line(model, data, tmp_path, command):
    places = {"out": tmp_path / "out", "ok": model}
    texts = [] if command[0] == "ensemble" else [data]
    broken = shutil.copytree(model, tmp_path / "broken")
    (broken / "medflat_ner" / "model").write_bytes((model / "medflat_ner" / "model").read_bytes()[:100])
    nlp = spacy.blank("zh")
    nlp.add_pipe("sentencizer")
    nlp.to_disk(tmp_path / "foreign")
    config = (tmp_path / "foreign" / "config.cfg").read_text(encoding="utf8")
    (tmp_path / "foreign" / "config.cfg").write_text(config.replace('"sentencizer"', '"of_mine"'), encoding="utf8")
    for folder in ("broken", "foreign", "none"):
        result = run(*(part.format(**places) for part in command), tmp_path / folder, *texts)
        message = "no pipeline" if folder == "none" else "cannot be loaded"
        assert result.exit_code == 1 and message in result.output and "Traceback" not in result.output
        assert isinstance(result.exception, SystemExit)


EVALUATE_TWICE = """
import sys
from spacy_medflat.cli import medflat_cli
from typer.testing import CliRunner

model, data, code = sys.argv[1:]
without = CliRunner().invoke(medflat_cli, ["evaluate", model, data])
assert without.exit_code == 1 and "--code" in without.stderr, without.output
given = CliRunner().invoke(medflat_cli, ["evaluate", model, data, "--code", code])
assert given.exit_code == 0, given.output
"""


def test_functions_that_a_pipeline_needs_are_imported(data, tmp_path):
    code = tmp_path / "mine.py"
    code.write_text(
        "from spacy.language import Language\n\n@Language.component('of_mine_too')\ndef same(doc):\n    return doc\n",
        encoding="utf8",
    )
    import_code(code)
    nlp = cnn_pipeline()
    nlp.add_pipe("of_mine_too", first=True)
    train(nlp, 1)
    nlp.to_disk(tmp_path / "model")
    # A process of its own, which does not know the component.
    command = [sys.executable, "-c", EVALUATE_TWICE, tmp_path / "model", data, code]
    done = subprocess.run(command, capture_output=True, encoding="utf8")
    assert done.returncode == 0, done.stderr


def test_render(model):
    result = run("render", model, "右肺上叶腺癌术后", "无殊")
    assert result.exit_code == 0, result.output
    lines = [line.rstrip() for line in result.output.splitlines()]
    assert lines[0] == "右肺上叶腺癌术后" and lines[-1] == "无殊"
    assert lines[1].startswith("└── pro 右肺上叶腺癌术") and "bod 右肺上叶 " in lines[3]
    assert spans_of(spacy.load(model)("右肺上叶腺癌术后"))


def test_render_a_file(model, tmp_path):
    (tmp_path / "texts.txt").write_text("予阿司匹林100mg口服\n\n无殊\n", encoding="utf8")
    result = run("render", model, "--file", tmp_path / "texts.txt")
    assert result.exit_code == 0 and "dru 阿司匹林100" not in result.output and "dru" in result.output


def test_render_reads_lines_as_editors_write_them(model, tmp_path):
    (tmp_path / "texts.txt").write_bytes("\ufeff右肺上叶腺癌术后\r\n无\u2028殊\r\n".encode())
    result = run("render", model, "--file", tmp_path / "texts.txt")
    assert result.exit_code == 0, result.output
    assert result.output.startswith("右肺上叶腺癌术后") and "无\u2028殊" in result.output
    piped = CliRunner().invoke(
        medflat_cli, ["render", str(model), "--file", "-"], input=b"\xef\xbb\xbf\xe6\x97\xa0\r\n"
    )
    assert piped.exit_code == 0 and piped.output.strip() == "无"


def test_render_html(model, tmp_path):
    result = run("render", model, "右肺上叶腺癌术后", "无殊", "--html", tmp_path / "page.html")
    assert result.exit_code == 0, result.output
    page = (tmp_path / "page.html").read_text(encoding="utf8")
    assert page.count('<p class="text"') == 2 and 'data-caption="bod"' in page and "肺上叶</span>" in page


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["evaluate", "no_such_model", "dev.json"], "no_such_model"),
        (["evaluate", "{model}", "no_such_file.json"], "no_such_file.json: no such file"),
        (["find-thresholds", "{model}", "{empty}"], "no texts to score"),
        (["find-thresholds", "{model}", "dev.json", "-o", "{full}"], "something else than a pipeline"),
        (["render", "{model}", "--file", "no_such_file.txt"], "no_such_file.txt: No such file"),
        (["render", "{blank}", "右肺"], "has no 'medflat_ner' component"),
        (["ensemble", "{model}", "-o", "{out}"], "needs at least two pipelines, but there are 1"),
        (["ensemble", "{model}", "{blank}", "-o", "{out}"], "has no 'medflat_ner' component"),
        (["ensemble", "{model}", "no_such_model", "-o", "{out}"], "no_such_model"),
        (["ensemble", "{model}", "{model}", "-o", "{model}"], "this folder is not empty"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_1(model, tmp_path, arguments, message):
    (tmp_path / "empty.json").write_text("[]", encoding="utf8")
    spacy.blank("zh").to_disk(tmp_path / "blank")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "notes.txt").touch()
    places = {
        "full": tmp_path / "full",
        "model": model,
        "empty": tmp_path / "empty.json",
        "blank": tmp_path / "blank",
        "out": tmp_path / "out",
    }
    result = run(*(argument.format(**places) for argument in arguments))
    assert result.exit_code == 1
    assert message in result.output.replace("\n", "") and "Traceback" not in result.output
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("mode", ["average", "vote"])
def test_an_ensemble_is_evaluated_rendered_and_tuned_as_a_pipeline(model, data, tmp_path, mode):
    together = tmp_path / "together"
    result = run("ensemble", model, model, model, "-o", together, "--mode", mode)
    assert result.exit_code == 0 and "3 pipelines saved to" in result.output, result.output
    result = run("evaluate", together, data, "-o", tmp_path / "scores.json")
    assert result.exit_code == 0, result.output
    assert json.loads((tmp_path / "scores.json").read_text(encoding="utf8"))["spans_sc_f"] == 1.0
    result = run("render", together, "右肺上叶腺癌术后")
    assert result.output == run("render", model, "右肺上叶腺癌术后").output or mode == "vote"
    assert "bod 右肺上叶 " in result.output
    nlp = spacy.load(together)
    nlp.get_pipe("medflat_ensemble").cfg["threshold"] = 1.0
    nlp.to_disk(tmp_path / "strict")
    result = run("find-thresholds", tmp_path / "strict", data, "--one", "-o", tmp_path / "tuned")
    assert result.exit_code == 0, result.output
    thresholds = spacy.load(tmp_path / "tuned").get_pipe("medflat_ensemble").cfg["label_thresholds"]
    assert set(thresholds) == {"bod", "dis", "pro", "sym", "dru"} and len(set(thresholds.values())) == 1


def test_an_ensemble_with_a_threshold(model, tmp_path):
    assert run("ensemble", model, model, "-o", tmp_path / "out", "--threshold", "0.9").exit_code == 0
    cfg = spacy.load(tmp_path / "out").get_pipe("medflat_ensemble").cfg
    assert (cfg["threshold"], cfg["label_thresholds"]) == (0.9, {})


def test_render_without_texts(model):
    assert run("render", model).exit_code == 2


def test_evaluate_and_render_what_is_said_about_entities(model, tmp_path):
    nlp = spacy.load(model)
    nlp.add_pipe("medflat_sections")
    nlp.add_pipe("medflat_context")
    nlp.to_disk(tmp_path / "model")
    data = tmp_path / "dev.jsonl"
    entities = [
        {"start": 2, "end": 4, "label": "dis", "assertion": "absent", "temporality": "historical"},
        {"start": 5, "end": 11, "label": "sym", "assertion": "present"},
    ]
    (text, _) = SENTENCES[1]
    data.write_text(json.dumps({"text": text, "entities": entities}, ensure_ascii=False), encoding="utf8")
    result = run("evaluate", tmp_path / "model", data, "-o", tmp_path / "scores.json")
    assert result.exit_code == 0, result.output
    scores = json.loads((tmp_path / "scores.json").read_text(encoding="utf8"))
    assert (scores["context_sc_spans"], scores["context_sc_assertion_acc"]) == (2, 0.5)
    output = " ".join(result.output.split())
    assert "What is said about 2 entities of those found" in output
    assert "assertion 50.00" in output and "temporality 0.00" in output and "experiencer" not in output
    data.write_text(data.read_text(encoding="utf8").replace("absent", "absnt"), encoding="utf8")
    result = run("evaluate", tmp_path / "model", data)
    assert result.exit_code == 0 and "absnt" not in result.output
    result = run("render", tmp_path / "model", "父亲患贫血，右肺上叶结节")
    assert result.exit_code == 0 and "family  (父亲)" in result.output


def test_evaluate_and_render_values_and_codes(model, tmp_path):
    nlp = spacy.load(model)
    nlp.add_pipe("medflat_values")
    nlp.add_pipe("medflat_linker").add([CodeRow("B01AC06", "阿司匹林")])
    nlp.to_disk(tmp_path / "model")
    value = {"numbers": [100], "ucum": "mg", "route": "oral", "per_day": 1}
    entity = {"start": 1, "end": 5, "label": "dru", "value": value, "codes": ["B01AC06"]}
    (text, _) = SENTENCES[2]
    data = tmp_path / "dev.jsonl"
    data.write_text(json.dumps({"text": text, "entities": [entity]}, ensure_ascii=False), encoding="utf8")
    result = run("evaluate", tmp_path / "model", data, "-o", tmp_path / "scores.json")
    assert result.exit_code == 0, result.output
    scores = json.loads((tmp_path / "scores.json").read_text(encoding="utf8"))
    assert (scores["values_sc_spans"], scores["values_sc_f"], scores["codes_sc_acc"]) == (1, 0.0, 1.0)
    output = " ".join(result.output.split())
    assert "Values of 1 entity of those found" in output and "route 100.00" in output and "per_day 0.00" in output
    assert "Codes of 1 entity of those found" in output and "first code right 100.00" in output
    result = run("render", tmp_path / "model", text)
    assert result.exit_code == 0 and "100 mg oral  B01AC06" in result.output
