"""Options that several commands have, and what they stand for."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer

from ..corpus.record import CorpusError
from ..lattice.rules import WordRules

MinLength = Annotated[int, typer.Option(min=1, help="Shortest word, in characters.")]
MaxLength = Annotated[int, typer.Option(min=1, help="Longest word, in characters.")]
ChineseOnly = Annotated[
    bool, typer.Option("--chinese-only/--any-script", help="Only words of Chinese characters throughout.")
]


Code = Annotated[Path | None, typer.Option("--code", "-c", help="Python file with functions to register.")]
GpuId = Annotated[int, typer.Option("--gpu-id", "-g", help="GPU to use, -1 for the CPU.")]


def word_rules(min_length: int, max_length: int, chinese_only: bool) -> WordRules:
    """The limits that these options set.

    RAISES (CorpusError): No word can meet them.
    """
    try:
        return WordRules(min_length, max_length, chinese_only)
    except ValueError as error:
        raise CorpusError(str(error)) from error


def check_apart(outputs: Iterable[Path | None], inputs: Iterable[Path]) -> None:
    """Make sure that no output would replace an input.

    RAISES (CorpusError): One would.
    """
    read = {path.resolve() for path in inputs}
    for output in outputs:
        if output and output.resolve() in read:
            raise CorpusError(f"{output} is one of the inputs; give another output")


def split_names(names: str | None) -> list[str] | None:
    """Names with commas between them; None if there are none."""
    return [name for part in (names or "").split(",") if (name := part.strip())] or None
