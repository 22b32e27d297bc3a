"""A text and the words found in it, as the sequence of tokens that word vectors are trained on."""

from __future__ import annotations

from collections.abc import Iterable


def tokens_of(text: str, words: Iterable[tuple[int, int]]) -> list[str]:
    """The text as words that do not overlap and, between them, single characters.

    From left to right, the longest word that begins at a place is taken. White space is no token, and a word with
    white space in it is no word: the format of the vectors cannot hold it.
    words: (start, end) in characters, `end` exclusive, in any order.
    """
    longest: dict[int, int] = {}
    for start, end in words:
        longest[start] = max(end, longest.get(start, 0))
    tokens = []
    position = 0
    while position < len(text):
        end = longest.get(position, 0)
        token = text[position:end] if end > position else ""
        if not token or any(map(str.isspace, token)):
            token = text[position]
        if not token.isspace():
            tokens.append(token)
        position += len(token)
    return tokens
