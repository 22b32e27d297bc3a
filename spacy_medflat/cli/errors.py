"""How a command of ours ends when its input is bad: one red line and exit code 1, no traceback."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import typer
from rich.console import Console
from rich.text import Text

from ..corpus.record import CorpusError


@contextmanager
def friendly_errors() -> Iterator[None]:
    """Turn errors about input into a message on stderr and exit code 1. Works as a decorator too.

    Other errors pass through: they are ours, and need their traceback.
    RAISES (typer.Exit): After a CorpusError, OSError or UnicodeError.
    """
    try:
        yield
    except (CorpusError, OSError, UnicodeError) as error:
        message = " ".join(_message(error).split())
        Console(stderr=True, soft_wrap=True).print(Text(f"Error: {message}", style="red"))
        raise typer.Exit(1) from error


def _message(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    return str(error)
