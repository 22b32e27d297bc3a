"""The code blocks of the documents, and what checks each kind of them."""

import importlib
import inspect
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import spacy.cli
import srsly
import typer.main
from spacy.language import Language
from spacy.util import load_config, registry
from thinc.api import Config

from spacy_medflat.cli import medflat_cli
from spacy_medflat.experiments.matrix import read_matrix

ROOT = Path(__file__).parent.parent
PAGES = sorted(
    [ROOT / "README.md", ROOT / "README.zh.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").glob("*.md")],
    key=lambda path: path.name,
)
_BLOCK = re.compile(r"^(?P<before>[^\n]*)\n(?P<indent> *)```(?P<language>\w+)\n(?P<code>.*?)^ *```$", re.M | re.S)
_SKIPPED = re.compile(r"<!-- not run: \S.* -->")
_FUNCTION = re.compile(r"^(\w+)\(\) \{\n(.*?)\n\}$", re.M | re.S)


class Snippet(NamedTuple):
    """A code block: the page that has it, its first line there, its language, and the code without indentation."""

    page: str
    line: int
    language: str
    code: str


def snippets(page: Path, language: str = "") -> list[Snippet]:
    """The blocks of a page, all or those in one language, without those marked `<!-- not run: reason -->`."""
    text = "\n" + page.read_text(encoding="utf8")
    found = []
    for match in _BLOCK.finditer(text):
        if not _SKIPPED.fullmatch(match["before"].strip()) and language in ("", match["language"]):
            code = re.sub(rf"^{match['indent']}", "", match["code"], flags=re.M)
            found.append(Snippet(page.name, text.count("\n", 0, match.start("code")), match["language"], code))
    return found


def commands(code: str) -> Iterator[list[str]]:
    """The commands of a shell block as words; a function of the block is written out where it is called."""
    code = code.replace("\\\n", " ")
    functions = dict(_FUNCTION.findall(code))
    for line in _FUNCTION.sub("", code).splitlines():
        name, _, arguments = line.strip().partition(" ")
        text = functions[name].replace('"$@"', arguments) if name in functions else line
        lexer = shlex.shlex(text, posix=True, punctuation_chars=True)
        lexer.whitespace_split, lexer.commenters = True, "#"
        words: list[str] = []
        for word in [*lexer, ";"]:
            if set(word) <= set("&|;"):
                if words:
                    yield words
                words = []
            else:
                words.append(word)


def check_command(words: list[str]) -> None:
    """Fail if a command of spaCy, this package or its benchmarks does not exist, or an option or value of it."""
    if words[:2] != ["python", "-m"]:
        return
    module, arguments = words[2], words[3:]
    if module == "spacy" and arguments[0] == "medflat":
        check_medflat(arguments[1:])
    elif module == "spacy":
        options, extra = parse(typer.main.get_command(spacy.cli.app), arguments)
        if arguments[0] == "train":
            check_overrides(options["config_path"], extra)
        elif arguments[:2] == ["project", "run"]:
            check_project(options["subcommand"], extra)
    elif module.startswith("bench."):
        app = typer.Typer()
        app.command()(importlib.import_module(module).main)
        parse(typer.main.get_command(app), arguments)


def check_medflat(arguments: list[str]) -> None:
    """Fail if `spacy medflat` would refuse these words before it looks at any file."""
    options, extra = parse(typer.main.get_command(medflat_cli), arguments)
    if arguments[0] == "train":
        check_overrides(options["config"], extra)
    if arguments[0] == "experiments":
        given = dict(item.split("=", 1) for item in options.get("settings") or [])
        matrix = read_matrix(ROOT / options["matrix"], given, has_gpu=True)
        matrix.select(options["only"].split(",") if options.get("only") else None, None)


def parse(command: Any, arguments: list[str]) -> tuple[dict[str, Any], list[str]]:
    """The options of a command line, unconverted, and what the command takes beyond them.

    Some versions of typer have a click of their own, so the types of click are not named here.

    command (click.Command): a group or a single command.
    arguments (list of str): the words after its name.
    RAISES (Exception): the command or an option does not exist, or a required one is not given.
    """
    context = command.context_class(command)
    while hasattr(command, "commands"):
        name, command, arguments = command.resolve_command(context, arguments)
        context = command.context_class(command, parent=context, info_name=name, **command.context_settings)
    options, extra, _ = command.make_parser(context).parse_args(list(arguments))
    for param in command.params:
        value = options.get(param.name)
        assert value not in (None, (), []) or not param.required, f"{command.name} needs {param.name}"
        choices = getattr(getattr(param, "type", None) or getattr(param, "type_descriptor", None), "choices", None)
        assert choices is None or not isinstance(value, str) or value in choices, f"{param.name} is no {value}"
    if not context.allow_extra_args:
        assert not extra, f"{command.name} takes no {extra}"
    return options, extra


def check_overrides(config: str, extra: list[str]) -> None:
    """Fail if a setting that overrides the config does not exist in it."""
    loaded = load_config(ROOT / config)
    for name in [word.removeprefix("--") for word in extra if word.startswith("--")]:
        section: Any = loaded
        for part in name.split("."):
            assert part in section, f"{config} has no {name}"
            section = section[part]


def check_project(step: str, extra: list[str]) -> None:
    """Fail if a step or a variable does not exist in project.yml."""
    project = srsly.read_yaml(ROOT / "project.yml")
    assert step in {*project["workflows"], *(command["name"] for command in project["commands"])}
    variables = [word.removeprefix("--vars.") for word in extra if word.startswith("--")]
    assert set(variables) <= set(project["vars"]), variables


def parse_config(code: str) -> Config:
    """A part of a config, with the sections that it stands in."""
    sections = re.findall(r"^\[(.+)\]$", code, re.M)
    parents = {name.rsplit(".", depth)[0] for name in sections for depth in range(1, name.count(".") + 1)}
    missing = "".join(f"[{name}]\n\n" for name in sorted(parents - set(sections)))
    return Config().from_str(missing + code, interpolate=False)


def check_section(section: dict[str, Any]) -> None:
    """Fail if a registered name or a setting of it does not exist, here or in a section below."""
    made = [(key[1:], value) for key, value in section.items() if key.startswith("@")]
    for kind, name in made:
        parameters = inspect.signature(getattr(registry, kind).get(name)).parameters.values()
        if not any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters):
            known = {parameter.name for parameter in parameters}
            assert {key for key in section if not key.startswith("@")} <= known, (name, section)
    if "factory" in section:
        known = {"factory", *Language.get_factory_meta(section["factory"]).default_config}
        assert set(section) <= known, section
    for value in section.values():
        if isinstance(value, dict):
            check_section(value)
