"""The workflow "adapt" of the project: which steps run again, what a mistake says, and the whole, hardly trained."""

import hashlib
import json
import re
import shlex
import shutil
from pathlib import Path

import pytest
import spacy
import srsly
from spacy.cli.project.run import load_project_config, project_run

from spacy_medflat.corpus.formats.registry import read_records

from .ner.quick_fits import quick_fits
from .pipelines import write_recipe
from .project_steps import PROJECT, run_in_process
from .snippets import ROOT, check_command

STEPS = srsly.read_yaml(ROOT / "project.yml")["workflows"]["adapt"]


@pytest.fixture
def project(tmp_path, monkeypatch):
    """The project with 30 annotated texts, a folder of notes, and a smaller encoder."""
    shutil.copy(ROOT / "project.yml", tmp_path)
    for name in ("configs", "assets"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("source"))
    write_recipe(tmp_path / "assets" / "encoder")
    texts = json.loads((tmp_path / "assets" / "corpus" / "train.json").read_text(encoding="utf8"))
    for name, part in (("labels", texts[:30]), ("dev", texts[-25:])):
        (tmp_path / f"{name}.json").write_text(json.dumps(part, ensure_ascii=False), encoding="utf8")
    for ward, part in (("one", texts[20:40]), ("two/old", texts[40:60])):
        path = tmp_path / "notes" / f"{ward}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(f"{text['text']}\n" for text in part), encoding="utf8")
    monkeypatch.setattr(PROJECT, "run_commands", pretend)
    return tmp_path


def run(project, capsys, **given):
    """Run the workflow. RETURNS (list of str): the steps that were not skipped."""
    own = {"vars.labels": "labels.json", "vars.dev_data": "dev.json", "vars.notes": "notes"}
    capsys.readouterr()
    project_run(project, "adapt", overrides={**own, **{f"vars.{name}": value for name, value in given.items()}})
    skipped = re.findall(r"Skipping '(.+?)'", capsys.readouterr().out)
    return [step for step in STEPS if step not in skipped]


def pretend(scripts, **_):
    """Write, in place of what each command would, a digest of the command and of what it reads."""
    for script in scripts:
        words = shlex.split(script)
        (name,) = {"train", "convert", "pretrain", "calibrate", "self-train", "evaluate"} & set(words)
        targets = [words[-3 if "--limit" in words else -1]] if name == "convert" else []
        targets += [words[i + 1] for i, word in enumerate(words) if word in ("--output", "--report")]
        read = [PROJECT.get_checksum(word) for word in words if word not in targets and Path(word).exists()]
        digest = hashlib.md5(repr([script, read]).encode()).hexdigest()
        for target in targets:
            path = Path(target)
            if not path.suffix:
                path = path / ("model-best/meta.json" if name == "train" else "meta.json")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(digest, encoding="utf8")


def add_a_note(project):
    with (project / "notes" / "two" / "old.txt").open("a", encoding="utf8") as file:
        file.write("咳嗽三天。\n")


def add_a_file(project):
    (project / "notes" / "three.txt").write_text("发热一天。\n", encoding="utf8")


def touch(project):
    (project / "notes" / "one.txt").touch()


def drop_a_label(project):
    path = project / "labels.json"
    path.write_text(json.dumps(json.loads(path.read_text(encoding="utf8"))[1:]), encoding="utf8")


@pytest.mark.parametrize(
    ("change", "given", "steps"),
    [
        (touch, {}, []),
        (add_a_note, {}, STEPS[2:]),
        (add_a_file, {}, STEPS[2:]),
        (drop_a_label, {}, ["labels", *STEPS[3:]]),
        (touch, {"pretrain_rate": 0.01}, STEPS[2:]),
        (touch, {"sure": 0.8}, STEPS[5:]),
    ],
)
def test_what_changed_runs_again_and_nothing_else(project, capsys, change, given, steps):
    assert run(project, capsys) == STEPS
    assert run(project, capsys) == []
    change(project)
    assert run(project, capsys, **given) == steps


def test_steps_and_what_they_need_are_in_order():
    commands = {command["name"]: command for command in load_project_config(ROOT)["commands"]}
    there = set()
    for step in STEPS:
        made = [path for path in commands[step]["deps"] if path.startswith(("corpus/", "training/", "metrics/"))]
        assert set(made) <= there, step
        there |= set(commands[step]["outputs"])


def test_all_commands_of_the_project_exist():
    for command in load_project_config(ROOT)["commands"]:
        for script in command["script"]:
            check_command(shlex.split(script))


@pytest.mark.parametrize("name", ["notes", "labels", "dev_data", "lexicon"])
def test_a_file_that_is_missing_is_one_line(project, capsys, name):
    with pytest.raises(SystemExit) as stopped:
        run(project, capsys, **{name: "elsewhere"})
    assert stopped.value.code == 1
    (line,) = [line for line in capsys.readouterr().out.splitlines() if "elsewhere" in line]
    assert re.search(r"Missing dependency specified by command '[\w-]+': elsewhere", line)


def test_texts_become_two_calibrated_pipelines(project, capsys, monkeypatch):
    monkeypatch.setattr(PROJECT, "run_commands", run_in_process)
    # Trained so long that most spans are unlikely: all others are read by the calibration.
    few = {"pretrain_length": 64, "pretrain_steps": 2, "sure": 0.5}
    few |= {"steps": 40, "eval_frequency": 40, "warmup_steps": 4}
    with quick_fits():
        assert run(project, capsys, **few) == STEPS
    assert run(project, capsys, **few) == []
    corpus = list(read_records(project / "corpus" / "adapt.spacy"))
    assert [record.weight for record in corpus] == [1.0] * 30 + [0.5] * 30
    for who in ("teacher", "student"):
        assert spacy.load(project / "training" / who / "model-calibrated").get_pipe("medflat_ner").calibrator
        rows = srsly.read_json(project / "metrics" / f"{who}_calibration.json")["rows"]
        assert all(0 <= row["f1"] <= 1 for row in rows.values())
        assert "spans_sc_f" in srsly.read_json(project / "metrics" / f"{who}.json")
