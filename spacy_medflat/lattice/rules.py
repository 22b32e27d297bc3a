"""Which words may stand in a lattice."""

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from ..errors import MedflatError

# Ideographs of all blocks, extensions and compatibility forms included, and 〇, the numeral that Unicode files apart.
# Not Chinese: digits, Latin and Greek letters, 々, kana, punctuation, full-width forms, Roman numerals (Ⅲ).
CHINESE = "\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"

LONGEST_ALLOWED = 10_000


@dataclass(frozen=True)
class WordRules:
    """Limits on the words of a lattice.

    min_length, max_length (int): in characters (code points), both inclusive.
    chinese_only (bool): only words that are ideographs throughout.
    RAISES (MedflatError): limits that no word can meet.
    """

    min_length: int = 2
    max_length: int = 8
    chinese_only: bool = True

    def __post_init__(self) -> None:
        if not 1 <= self.min_length <= self.max_length <= LONGEST_ALLOWED:
            raise MedflatError(
                f"words need 1 <= min_length <= max_length <= {LONGEST_ALLOWED:,}, but min_length is {self.min_length} "
                f"and max_length is {self.max_length}"
            )

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        kind = f"[{CHINESE}]" if self.chinese_only else r"[\s\S]"
        return re.compile(f"{kind}{{{self.min_length},{self.max_length}}}")

    def allow(self, word: str) -> bool:
        """Whether a word may stand in the lattice."""
        return self._pattern.fullmatch(word) is not None

    def reason(self, word: str) -> str | None:
        """Why a word may not stand in the lattice: `too short`, `too long`, `not Chinese`; None if it may."""
        if len(word) < self.min_length:
            return "too short"
        if len(word) > self.max_length:
            return "too long"
        return None if self.allow(word) else "not Chinese"

    def refused(self, words: Iterable[str]) -> Counter[str]:
        """How many words may not stand in the lattice, by reason."""
        return Counter(reason for word in words if (reason := self.reason(word)))

    def __str__(self) -> str:
        chinese = ", Chinese throughout" if self.chinese_only else ""
        return f"{self.min_length} to {self.max_length} characters{chinese}"
