import subprocess
import sys

import pytest
import typer
from typer.testing import CliRunner

from spacy_medflat.cli import medflat_cli
from spacy_medflat.cli.commands import COMMANDS

SHOW_MODULES = """
import sys
from spacy.cli import app
import spacy_medflat.cli
from typer.testing import CliRunner

result = CliRunner().invoke(app, ["medflat", "--help"])
assert result.exit_code == 0 and "annotate" in result.output, result.output
print(*sys.modules)
"""


def test_help_imports_no_command_and_nothing_heavy():
    done = subprocess.run([sys.executable, "-c", SHOW_MODULES], capture_output=True, encoding="utf8", check=True)
    modules = set(done.stdout.split())
    ours = {name for name in modules if name.startswith("spacy_medflat")}
    assert ours == {"spacy_medflat", "spacy_medflat.cli", "spacy_medflat.cli.commands"}
    heavy = "transformers spacy_transformers gensim pyarrow scipy sklearn matplotlib pandas ray jieba rapidfuzz cassis"
    of_the_service = "fastapi uvicorn prometheus_client"
    assert not modules & {*heavy.split(), *of_the_service.split()}


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_is_imported_by_its_name_and_listed_with_its_own_words(name):
    group = typer.main.get_command(medflat_cli)
    context = typer.Context(group)
    _, command, rest = group.resolve_command(context, [name, "rest"])
    assert (command.name, rest) == (name, ["rest"])
    assert " ".join(command.help.split()).startswith(COMMANDS[name])
    assert group.get_command(context, name).help == COMMANDS[name]


def test_the_commands_themselves_can_be_had():
    group = typer.main.get_command(medflat_cli).load()
    assert list(group.commands) == list(COMMANDS)
    assert group.commands["convert"].params and group.commands["lexicon"].commands


def test_a_wrong_name_is_one_line_that_names_it():
    result = CliRunner().invoke(medflat_cli, ["anotate"])
    assert result.exit_code == 2
    assert "No such command 'anotate'" in result.output
