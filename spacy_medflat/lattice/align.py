"""Where the words of a segmenter stand in the text that it was given."""

from collections.abc import Sequence

# A segmenter seldom changes more than a few words in a row.
LOOK_AHEAD = 8


def align_words(text: str, words: Sequence[str]) -> list[tuple[int, int, int]]:
    """Find a segmenter's words in its text, in order.

    Segmenters drop white space and some drop or normalize other characters, so lengths do not add up to offsets. A
    word that stands right after the last one is taken at once. Otherwise it may stand further on, behind characters
    that were dropped, or it may not stand in the text at all and a later word shows where the text goes on: the
    explanation that leaves the least unaccounted for is taken.

    RETURNS: (index into `words`, start, end) of the words that were found; characters, `end` exclusive. They are in
        order and do not overlap, and `text[start:end]` is the word. A word that is not found shifts no other one.
    """
    found = []
    position = 0
    i = 0
    while i < len(words):
        word = words[i]
        if not word:
            i += 1
            continue
        while position < len(text) and text[position].isspace() and not text.startswith(word, position):
            position += 1
        start = position
        if not text.startswith(word, position):
            step = _resume(text, words, i, position)
            if step is None:
                i += 1
                continue
            i, start = step
        position = start + len(words[i])
        found.append((i, start, position))
        i += 1
    return found


def _resume(text: str, words: Sequence[str], i: int, position: int) -> tuple[int, int] | None:
    """The next word that stands in the text, from word `i` on, and its start; None if none of the next ones does."""
    best: tuple[int, int, int] | None = None
    skipped = 0
    for j in range(i, min(i + LOOK_AHEAD, len(words))):
        start = text.find(words[j], position) if words[j] else -1
        if start >= 0:
            gap = sum(not char.isspace() for char in text[position:start])
            # Words that are passed over stand for about as many characters of the text as they have themselves.
            cost = abs(gap - skipped) + skipped
            if best is None or cost < best[0]:
                best = (cost, j, start)
        skipped += len(words[j])
        if best is not None and skipped >= best[0]:
            break
    return None if best is None else best[1:]
