"""Which words of a vector file a lattice can use."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

from ..lattice.rules import WordRules

_ONE_CHARACTER = WordRules(1, 1)


def is_character(word: str) -> bool:
    """Whether the word is a single Chinese character."""
    return _ONE_CHARACTER.allow(word)


@dataclass(frozen=True, slots=True)
class WordFilter:
    """What to keep. Single Chinese characters pass always: missing words are composed of them.

    rules: Limits on length and characters.
    words: If given, only these words, whatever the rules say.
    """

    rules: WordRules = field(default_factory=WordRules)
    words: Collection[str] | None = None

    def reason_against(self, word: str) -> str | None:
        """Why the word is left out, as a heading for counts, or None if it is kept."""
        if is_character(word):
            return None
        if not word or any(map(str.isspace, word)):
            return "empty or with a space inside"
        if self.words is not None:
            return None if word in self.words else "not in the list of words"
        return self.rules.reason(word)
