"""Steps of the project inside the test's own process: starting Python and torch anew takes longer than most of them."""

import importlib
import shlex
from collections.abc import Iterable
from typing import Any

import spacy.cli
from typer.testing import CliRunner

from spacy_medflat.cli import medflat_cli

# The package names a function as its module.
PROJECT = importlib.import_module("weasel.cli.run")
_in_processes = PROJECT.run_commands


def run_in_process(scripts: Iterable[str], **options: Any) -> None:
    """In place of `run_commands`: run spaCy's commands and ours here, others as usual."""
    for script in scripts:
        words = shlex.split(script)
        if words[:3] != ["python", "-m", "spacy"]:
            _in_processes([script], **options)
            continue
        app, arguments = (medflat_cli, words[4:]) if words[3] == "medflat" else (spacy.cli.app, words[3:])
        result = CliRunner().invoke(app, arguments)
        assert result.exit_code == 0, (script, result.output, result.exception)
