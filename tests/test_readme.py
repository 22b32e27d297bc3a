"""The README says what is true: its snippets run, and what it names exists."""

import re
from pathlib import Path

import pytest
import spacy
import srsly
from spacy.util import load_config, registry
from thinc.api import Config

from spacy_medflat.cli import medflat_cli

from .pipelines import flat_pipeline, train

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf8")


def blocks(language):
    return [block.replace("\n   ", "\n") for block in re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)]


@pytest.mark.parametrize("code", blocks("python"))
def test_python_snippets_run(code, monkeypatch, capsys, tmp_path):
    nlp = flat_pipeline(tmp_path / "lexicon.tsv")
    nlp.get_pipe("medflat_ner").cfg["threshold"] = 0.0
    train(nlp, 1, annotates=["lattice"])
    monkeypatch.setattr(spacy, "load", lambda name: nlp if name == "zh_medflat" else pytest.fail(name))
    exec(compile(code, "README.md", "exec"), {})
    assert "右肺下叶" in capsys.readouterr().out


def test_continuous_integration_finds_the_test_command():
    command = re.search(r"<!-- command: test -->\n```bash\n(.*?)```", README, re.DOTALL)
    assert command and "pytest" in command[1] and "pip install -c constraints.txt" in command[1]


def test_commands_variables_and_settings_exist():
    commands = {str(command.name) for command in medflat_cli.registered_commands}
    for group in medflat_cli.registered_groups:
        commands |= {f"{group.typer_instance.info.name} {c.name}" for c in group.typer_instance.registered_commands}
    named = set(re.findall(r"spacy medflat ((?:lexicon |vectors )?[a-z][a-z-]+)", README))
    assert named <= commands, named - commands
    project = srsly.read_yaml(ROOT / "project.yml")
    assert set(re.findall(r"--vars\.(\w+)", README)) <= set(project["vars"])
    known = {*project["workflows"], *(command["name"] for command in project["commands"])}
    assert set(re.findall(r"spacy project run (\w+)", README)) <= known
    config = load_config(ROOT / "configs" / "default.cfg")["components"]["medflat_ner"]
    (settings,) = [block for block in blocks("ini") if block.startswith("[components.medflat_ner]")]
    for line in settings.splitlines()[1:]:
        name, value = line.split(" = ")
        assert srsly.json_dumps(config[name]) == srsly.json_dumps(srsly.json_loads(value)), name


def test_word_sources_can_be_made():
    (block,) = [block for block in blocks("ini") if block.startswith("[components.lattice.words]")]
    config = Config().from_str(f"[components]\n\n[components.lattice]\n\n{block}")
    words = registry.resolve({"words": config["components"]["lattice"]["words"]})["words"]
    assert words.name


def test_formats_are_all_named():
    from spacy_medflat.corpus.formats.registry import FORMATS

    assert set(re.findall(r"^\| `(\w+)` \|", README, re.MULTILINE)) == set(FORMATS)
