"""`python -m spacy medflat …`: commands that parse, call and print."""

import typer
from spacy.cli import app

from .commands import Commands

medflat_cli = typer.Typer(add_completion=False)


@medflat_cli.callback(cls=Commands, no_args_is_help=True)
def medflat() -> None:
    """Nested clinical entities in Chinese: check data, train, compare, evaluate, annotate archives, render."""


app.add_typer(medflat_cli, name="medflat")
