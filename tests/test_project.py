"""The project as a user runs it, on a few texts and steps, without installing into this environment."""

import json
import os
import runpy
import shutil
import subprocess
import sys
import zipfile
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path

import pytest
import spacy
import srsly
import torch
from spacy.cli.project.run import project_run
from spacy.cli.train import train
from spacy.util import load_config, load_model_from_config

from spacy_medflat._internals import encoder_of
from spacy_medflat.vectors.convert import WordFilter, convert_vectors

from .ner.quick_fits import quick_fits
from .project_steps import PROJECT, run_in_process

ROOT = Path(__file__).parent.parent
FEW = {"train": 1200, "dev": 60, "steps": 80}
# Small batches of ever new texts teach more than large ones of few texts, and in less time.
BATCH = 1000


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    folder = tmp_path_factory.mktemp("project")
    shutil.copy(ROOT / "project.yml", folder)
    for name in ("configs", "assets"):
        shutil.copytree(ROOT / name, folder / name)
    config = srsly.read_yaml(folder / "project.yml")
    config["workflows"]["most"] = [c for c in config["workflows"]["train"] if c not in ("install", "try")]
    config["vars"].update(steps=FEW["steps"], warmup_steps=10, eval_frequency=FEW["steps"])
    config["vars"]["schedule"] += f" --training.batcher.size {BATCH}"
    srsly.write_yaml(folder / "project.yml", config)
    for name in ("train", "dev"):
        path = folder / "assets" / "corpus" / f"{name}.json"
        path.write_text(json.dumps(srsly.read_json(path)[: FEW[name]], ensure_ascii=False), encoding="utf8")
    # The first step in processes, as a user starts it. Each takes seconds to start.
    command = [sys.executable, "-m", "spacy", "project", "run", "convert", folder]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    run(folder, "most")
    return folder


def run(project, command, **given):
    """Run a step or a workflow. RETURNS (str): what the project command says about the steps."""
    said = StringIO()
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(said), quick_fits():
        patch.setattr(PROJECT, "run_commands", run_in_process)
        project_run(project, command, overrides={f"vars.{name}": value for name, value in given.items()})
    return said.getvalue()


def test_the_picture_of_the_readme_is_what_the_pipeline_finds():
    picture = json.loads((ROOT / "docs" / "img" / "nested.json").read_text(encoding="utf8"))
    draw = runpy.run_path(str(ROOT / "docs" / "img" / "make_nested.py"))["draw"]
    drawn = (ROOT / "docs" / "img" / "nested.svg").read_text(encoding="utf8")
    assert drawn == draw(picture["text"], picture["entities"])
    for readme in ("README.md", "README.zh.md"):
        assert picture["text"] in (ROOT / readme).read_text(encoding="utf8")
    if not spacy.util.is_package("zh_medflat"):
        pytest.skip("zh_medflat is not installed: python -m spacy project run train")
    doc = spacy.load("zh_medflat")(picture["text"])
    assert [[span.start_char, span.end_char, span.label_] for span in doc.spans["sc"]] == picture["entities"]


def test_convert_fit_evaluate_and_package(project):
    assert json.loads((project / "metrics" / "dev.json").read_text())["spans_sc_f"] > 0.5
    (wheel,) = (project / "packages").glob("zh_medflat-0.1.0-py3-none-any.whl")
    with zipfile.ZipFile(wheel) as archive:
        metadata = archive.read("zh_medflat-0.1.0.dist-info/METADATA").decode()
    assert "Requires-Dist: spacy-medflat" in metadata
    calibration = json.loads((project / "metrics" / "calibration.json").read_text())
    assert calibration["chosen"] in calibration["rows"] and "head" in calibration["rows"]
    readme = (project / "packages" / "zh_medflat-0.1.0" / "README.md").read_text(encoding="utf8")
    assert "| **License** | `MIT` |" in readme and "### Thresholds" in readme and "### Data" in readme
    assert "SPANS_SC_NESTED_F" in readme and "LOSS" not in readme
    # What is done is done again only if something changed.
    encoder = project / "assets" / "encoder" / "config.json"
    encoder.write_text(encoder.read_text().replace('_dropout_prob": 0.1', '_dropout_prob": 0.2'))
    assert "Skipping 'convert'" in run(project, "convert")
    assert "Skipping 'fit'" not in run(project, "fit", steps=3, eval_frequency=3)


# Prints what each command printed. One process for all: starting one takes longer than the commands.
RUN_ALL = """
import json, sys
from spacy.cli import app
from typer.testing import CliRunner

results = [CliRunner().invoke(app, json.loads(command)) for command in sys.argv[1:]]
print(json.dumps([result.stdout for result in results]))
for result in results:
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exc_info
    assert "Traceback" not in result.output, result.output
"""


def test_the_installed_package_serves_spacys_own_commands_from_any_folder(project, tmp_path):
    (wheel,) = (project / "packages").glob("*.whl")
    pip = [sys.executable, "-m", "pip", "install", wheel, "--no-deps", "--no-index", "--target", tmp_path / "site"]
    assert subprocess.run(pip, capture_output=True, check=False).returncode == 0
    config = tmp_path / "site" / "zh_medflat" / "zh_medflat-0.1.0" / "config.cfg"
    dev = project / "corpus" / "dev.spacy"
    commands = {
        "Initialized pipeline": ["assemble", config, "assembled"],
        "Corpus is loadable": ["debug", "data", config, "--paths.train", dev, "--paths.dev", dev],
        "parses as HTML": ["evaluate", "zh_medflat", dev, "--displacy-path", ".", "--spans-key", "sc"],
    }
    done = subprocess.run(
        [sys.executable, "-c", RUN_ALL, *(json.dumps(list(map(str, command))) for command in commands.values())],
        cwd=tmp_path,
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join(filter(None, [str(tmp_path / "site"), os.environ.get("PYTHONPATH")])),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    for printed, said in zip(json.loads(done.stdout), commands, strict=True):
        assert said in printed
    assert (tmp_path / "assembled" / "config.cfg").exists()
    trained, assembled = (spacy.load(path) for path in (config.parent, tmp_path / "assembled"))
    words = [nlp.get_pipe("lattice").words.lexicon for nlp in (trained, assembled)]
    assert len(words[0]) == len(words[1]) and trained.vocab.vectors.shape == assembled.vocab.vectors.shape
    encoders = [encoder_of(nlp.get_pipe("transformer").model.layers[0].shims[0]) for nlp in (trained, assembled)]
    weights = [encoder.transformer.state_dict() for encoder in encoders]
    assert all(torch.equal(weights[1][name], weight) for name, weight in weights[0].items())


def test_the_default_config_is_complete():
    config = load_config(ROOT / "configs" / "default.cfg", {"paths.encoder": str(ROOT / "assets" / "encoder")})
    nlp = load_model_from_config(config, auto_fill=False)
    assert nlp.pipe_names == ["lattice", "transformer", "medflat_ner", "doc_cleaner"]
    filled = load_model_from_config(config, auto_fill=True).config
    assert filled["components"] == config["components"] and filled["training"] == config["training"]


def test_the_config_of_the_encoder_alone_differs_in_nothing_else():
    full, short = (load_config(ROOT / "configs" / f"{name}.cfg") for name in ("default", "encoder_only"))
    del full["components"]["lattice"], full["paths"]["lexicon"]
    tok2vec = full["components"]["medflat_ner"]["model"]["tok2vec"]
    full["components"]["medflat_ner"]["model"]["tok2vec"] = tok2vec["tok2vec"]
    full["nlp"]["pipeline"].remove("lattice")
    assert full == short
    config = load_config(ROOT / "configs" / "encoder_only.cfg", {"paths.encoder": str(ROOT / "assets" / "encoder")})
    assert load_model_from_config(config, auto_fill=False).pipe_names == ["transformer", "medflat_ner", "doc_cleaner"]


def test_the_config_of_flat_over_words_differs_in_nothing_else():
    plain, words = (load_config(ROOT / "configs" / f"{name}.cfg") for name in ("default", "flat_words"))
    assert words["paths"].pop("vectors") is None and words["initialize"].pop("vectors") == "${paths.vectors}"
    assert words["training"].pop("annotating_components") == ["lattice"]
    # The length of words is a cost of FLAT.
    assert words["components"]["lattice"]["words"].pop("max_length") == 8
    tok2vec = words["components"]["medflat_ner"]["model"]["tok2vec"]
    assert (tok2vec.pop("spans_key"), tok2vec.pop("gated")) == ("lattice", True)
    for config, name in ((plain["initialize"], "vectors"), (plain["training"], "annotating_components")):
        del config[name]
    del plain["components"]["lattice"]["words"]["max_length"]
    for name in ("spans_key", "gated"):
        del plain["components"]["medflat_ner"]["model"]["tok2vec"][name]
    assert words == plain


NOTES = ["sections", "context", "values", "linker"]


def test_the_config_of_notes_adds_three_components_and_has_a_fourth_ready():
    short, full = (load_config(ROOT / "configs" / f"{name}.cfg") for name in ("default", "clinical"))
    full["nlp"]["pipeline"].insert(-1, "linker")
    for name, path in (("sections", "headings"), ("context", "cues"), ("values", "terms"), ("linker", "codes")):
        del full["components"][name], full["initialize"]["components"][name], full["paths"][path]
        full["nlp"]["pipeline"].remove(name)
    assert full == short
    given = {"paths.encoder": str(ROOT / "assets" / "encoder"), "paths.codes": str(ROOT / "assets" / "codes.tsv")}
    config = load_config(ROOT / "configs" / "clinical.cfg", given)
    assert load_model_from_config(config, auto_fill=False).pipe_names[3:] == [*NOTES[:-1], "doc_cleaner"]
    config["nlp"]["pipeline"].insert(-1, "linker")
    nlp = load_model_from_config(config, auto_fill=False)
    assert nlp.pipe_names == ["lattice", "transformer", "medflat_ner", *NOTES, "doc_cleaner"]
    filled = load_model_from_config(config, auto_fill=True).config
    assert filled["components"] == config["components"] and filled["initialize"] == config["initialize"]


def test_training_straight_from_json_gives_the_same_weights_for_the_same_seed(project, tmp_path):
    convert_vectors(project / "assets" / "vectors.txt.gz", tmp_path / "vectors", keep=WordFilter())
    overrides = {
        "paths.vectors": str(tmp_path / "vectors"),
        "paths.lexicon": str(project / "assets" / "lexicon.tsv"),
        "paths.train": str(project / "assets" / "corpus" / "train.json"),
        "paths.dev": str(project / "assets" / "corpus" / "dev.json"),
        "paths.encoder": str(project / "assets" / "encoder"),
        **{"corpora.train.limit": 40, "corpora.dev.limit": 10, "training.batcher.size": 500},
        **{"training.max_steps": 2, "training.eval_frequency": 2},
    }
    weights = []
    for name in ("one", "two"):
        train(project / "configs" / "flat_words.cfg", tmp_path / name, overrides=overrides)
        pipes = (tmp_path / name / "model-last" / pipe / "model" for pipe in ("transformer", "medflat_ner"))
        weights.append([path.read_bytes() for path in pipes])
    assert weights[0] == weights[1]
    nlp = spacy.load(tmp_path / "one" / "model-last")
    assert nlp.resume_training().learn_rate == 0.0
