"""Running one command on its own."""

from collections.abc import Callable
from pathlib import Path

import typer
from click.testing import Result
from typer.testing import CliRunner


def run(command: Callable[..., None], *arguments: str | Path) -> Result:
    """Run a command with these arguments; an error that it should have caught is raised."""
    app = typer.Typer()
    app.command()(command)
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result
