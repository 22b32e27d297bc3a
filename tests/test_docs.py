"""The documents say what is true: their snippets run or parse, and what they name exists."""

import re
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
import spacy
import srsly
from spacy.util import load_config

from spacy_medflat.corpus.formats.registry import FORMATS
from spacy_medflat.experiments.matrix import read_matrix

from .pipelines import flat_pipeline, train
from .snippets import PAGES, ROOT, Snippet, check_command, check_section, commands, parse_config, snippets

STAND_INS = {"zh_medflat", "training/model-best", "together", "compressed"}
EVERY = [snippet for page in PAGES for snippet in snippets(page)]
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
PATH = re.compile(r"`((?:spacy_medflat|configs|assets|docs|bench|examples|tests)/[\w./-]*)`")


def of(language: str) -> Any:
    """Parametrize a test with the blocks in a language."""
    chosen = [snippet for snippet in EVERY if snippet.language == language]
    return pytest.mark.parametrize("snippet", chosen, ids=[f"{s.page}:{s.line}" for s in chosen])


def test_every_block_is_in_a_language_that_is_tested():
    assert {snippet.language for snippet in EVERY} <= {"python", "bash", "ini", "yaml", "text"}


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A pipeline with everything that the documents use, hardly trained, on disk."""
    folder = tmp_path_factory.mktemp("pipeline")
    nlp = flat_pipeline(folder / "lexicon.tsv")
    nlp.get_pipe("medflat_ner").cfg["threshold"] = 0.0
    train(nlp, 1, annotates=["lattice"])
    nlp.to_disk(folder / "model")
    return folder / "model"


@of("python")
def test_python_runs(
    snippet: Snippet,
    pipeline: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture,
    tmp_path: Path,
):
    load = spacy.load
    monkeypatch.setattr(spacy, "load", lambda name, **_: load(pipeline) if name in STAND_INS else pytest.fail(name))
    (tmp_path / "assets").symlink_to(ROOT / "assets")
    monkeypatch.chdir(tmp_path)
    exec(compile(snippet.code, snippet.page, "exec"), {})
    assert capsys.readouterr().out.strip()


@of("bash")
def test_commands_exist(snippet: Snippet):
    found = list(commands(snippet.code))
    assert found
    for words in found:
        check_command(words)


@of("ini")
def test_settings_exist(snippet: Snippet):
    check_section(parse_config(snippet.code))


@of("yaml")
def test_matrices_can_be_read(snippet: Snippet, tmp_path: Path):
    if "rows:" not in snippet.code:
        assert srsly.yaml_loads(snippet.code)
        return
    (tmp_path / "matrix.yml").write_text(snippet.code, encoding="utf8")
    (tmp_path / "encoder_only.cfg").write_bytes((ROOT / "configs" / "encoder_only.cfg").read_bytes())
    given = {"train": "train.json", "dev": "dev.json", "encoder": "bert-base-chinese"}
    assert not any(row.missing for row in read_matrix(tmp_path / "matrix.yml", given, has_gpu=False).rows)


@pytest.mark.parametrize(
    "command", ["frobnicate x", "evaluate model data --frob", "evaluate model", "ensemble a b -o c --mode mean"]
)
def test_a_command_that_does_not_exist_is_found(command: str):
    with pytest.raises(Exception):  # noqa: B017 (an assertion, or one of several of click's errors)
        check_command(["python", "-m", "spacy", "medflat", *command.split()])


def test_a_setting_that_does_not_exist_is_found():
    block = '[a.b]\n@architectures = "spacy_medflat.GlobalPointer.v1"\nmax_width = 8\nfrob = 1\n'
    with pytest.raises(AssertionError):
        check_section(parse_config(block))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_and_paths_exist(page: Path):
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf8"), flags=re.S)
    for link in LINK.findall(text):
        if re.match(r"\w+:", link):
            continue
        name, _, anchor = link.partition("#")
        target = (page.parent / unquote(name)).resolve() if name else page
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link
        if page.parent.name == "docs":
            assert (ROOT / "docs") in target.parents, f"{link} is outside of the site"
    for path in PATH.findall(text):
        if not path.startswith("assets/private/"):
            assert (ROOT / path).exists(), path


def anchors(page: Path) -> set[str]:
    """What the headings of a page are called in links."""
    headings = re.findall(r"^#+ (.*)$", page.read_text(encoding="utf8"), re.M)
    return {re.sub(r"[^\w -]", "", heading).strip().lower().replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_lines_are_short(page: Path):
    prose = re.sub(r"^\|.*$|^!\[.*$", "", page.read_text(encoding="utf8"), flags=re.M)
    assert max(map(len, prose.splitlines())) <= 140


def test_the_settings_of_the_component_are_the_defaults():
    config = load_config(ROOT / "configs" / "default.cfg")["components"]["medflat_ner"]
    (block, *_) = snippets(ROOT / "docs" / "thresholds.md", "ini")
    for name, value in parse_config(block.code)["components"]["medflat_ner"].items():
        assert config[name] == value, name


def test_formats_are_all_named():
    text = (ROOT / "docs" / "data.md").read_text(encoding="utf8")
    assert set(re.findall(r"^\| `(\w+)` \|", text, re.M)) == set(FORMATS)
