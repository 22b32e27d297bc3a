"""Long notes cut into texts to train on."""

import re
from collections.abc import Iterator

from ..windows import greedy_batches

_SENTENCE_END = re.compile(r"[。！？!?；;\n]+[”’」』）)】\]]*\s*")
_PAUSE = re.compile(r"[，,、：:\s]+")


def pieces(text: str, longest: int) -> Iterator[str]:
    """Cut a text into as few pieces as fit, without white space around them.

    Cuts lie at sentence ends and line ends; a sentence that is too long is cut at commas and white space, and only a
    stretch without these in its middle.

    longest (int): characters of a piece at most.
    YIELDS (str): each piece that is not blank; the text itself if it is short enough.
    """
    cut = greedy_batches(
        _segments(text.strip(), longest), lambda size, part: (size or 0) + len(part), lambda _, size: size <= longest
    )
    for parts in cut:
        if piece := "".join(parts).strip():
            yield piece


def _segments(text: str, longest: int) -> Iterator[str]:
    """Stretches of a text that are short enough, without a rest."""
    for sentence in [text] if len(text) <= longest else _split(text, _SENTENCE_END):
        if len(sentence) <= longest:
            yield sentence
            continue
        for clause in _split(sentence, _PAUSE):
            yield from (clause[i : i + longest] for i in range(0, len(clause), longest))


def _split(text: str, ends: re.Pattern[str]) -> Iterator[str]:
    start = 0
    for match in ends.finditer(text):
        yield text[start : match.end()]
        start = match.end()
    if start < len(text):
        yield text[start:]


def letters(text: str) -> int:
    """How many characters are letters; those of Chinese are, digits and punctuation are not."""
    return sum(map(str.isalpha, text))
