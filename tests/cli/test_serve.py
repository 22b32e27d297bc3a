import importlib.util

import pytest
import spacy
from typer.testing import CliRunner

from spacy_medflat.cli import medflat_cli

from ..scale.archives import save_ruler
from ..serve.fakes import page_of


def run(*arguments, **environment):
    variables = {"COLUMNS": "200", "MEDFLAT_TOKEN": "", **environment}
    return CliRunner().invoke(medflat_cli, ["serve", *map(str, arguments)], env=variables)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("serve")
    spacy.blank("zh").to_disk(folder / "blank")
    page_of(folder / "page")
    return folder


def test_a_missing_extra_is_one_line(monkeypatch):
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "uvicorn" else find(name))
    result = run("zh_none")
    assert result.exit_code == 1
    assert result.stderr == "Error: serve needs uvicorn: pip install spacy-medflat[serve]\n"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["{folder}/none"], "no pipeline"),
        (["{folder}/blank", "--host", "0.0.0.0"], "needs a token"),
        (["{folder}/blank", "--token-file", "{folder}/none"], "no token can be read"),
        (["{folder}/blank", "--max-waiting-characters", "5"], "raise --max-waiting-characters"),
        (["{folder}/blank", "--page", "{folder}/none"], "index.html: no such file"),
        (["{folder}/blank", "--allow-host", "a:b:c"], "a name without a port"),
        (["{folder}/blank", "--host", "192.0.2.1", "--page", "{folder}/page"], "cannot listen on 192.0.2.1 port"),
        (["{folder}/blank", "--port", "0", "--corrections", "{folder}/blank/meta.json/x"], "cannot be kept there"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_1(options, message, folder):
    page = [] if "--page" in options else ["--page", folder / "page"]
    token = {"MEDFLAT_TOKEN": "a-token-of-this-test"} if "192.0.2.1" in options else {}
    result = run(*(option.format(folder=folder) for option in options), *page, **token)
    assert result.exit_code == 1 and message in result.stderr and result.stderr.count("\n") == 1


def test_a_pipeline_that_finds_no_nested_spans(tmp_path, folder):
    result = run(save_ruler(tmp_path / "ruler"), "--port", "0", "--page", folder / "page")
    assert result.exit_code == 1 and "has no 'medflat_ner' component" in result.stderr
