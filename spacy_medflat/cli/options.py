"""Options that several commands have, and what they stand for."""

from __future__ import annotations

from typing import Annotated

import typer

from ..corpus.record import CorpusError
from ..lattice.rules import WordRules

MinLength = Annotated[int, typer.Option(min=1, help="Shortest word, in characters.")]
MaxLength = Annotated[int, typer.Option(min=1, help="Longest word, in characters.")]
ChineseOnly = Annotated[
    bool, typer.Option("--chinese-only/--any-script", help="Only words of Chinese characters throughout.")
]


def word_rules(min_length: int, max_length: int, chinese_only: bool) -> WordRules:
    """The limits that these options set.

    RAISES (CorpusError): No word can meet them.
    """
    try:
        return WordRules(min_length, max_length, chinese_only)
    except ValueError as error:
        raise CorpusError(str(error)) from error


def split_names(names: str | None) -> list[str] | None:
    """Names with commas between them; None if there are none."""
    return [name for part in (names or "").split(",") if (name := part.strip())] or None
