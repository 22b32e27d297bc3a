"""A bounded random draw of notes, without those that nobody should annotate, each counted with the reason."""

import hashlib
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from heapq import heappush, heappushpop
from typing import Protocol

from ..scale.items import Document, Failure

_DIGEST_BYTES = 8

REASONS = {
    "unreadable": "cannot be read",
    "no letters": "no letters in it",
    "too long": "longer than --max-length",
    "repeated": "the same as another one of the pool",
    "training text": "the pipeline was trained on it",
    "labelled": "the same as a labelled one",
    "failed": "the pipeline fails on it",
    "near-duplicate": "nearly the same as a labelled one, or as one that is preferred",
}
"""Why a note is left out, described for messages."""


@dataclass
class Pool:
    """Notes to choose from.

    documents (list of Document): in an order that the seed draws.
    read (int): notes that there were, those left out too.
    left_out (Counter of str): counts by the keys of `REASONS`.
    first (dict of str): the first place and, where one is known, the cause, by reason.
    """

    documents: list[Document] = field(default_factory=list)
    read: int = 0
    left_out: Counter[str] = field(default_factory=Counter)
    first: dict[str, str] = field(default_factory=dict)

    def leave_out(self, reason: str, place: str) -> None:
        """Count a note that is left out.

        reason (str): a key of `REASONS`.
        place (str): where it is, for messages.
        """
        self.left_out[reason] += 1
        self.first.setdefault(reason, place)


def text_key(text: str, seed: int = 0) -> int:
    """A number for a text, white space aside; another seed shuffles the numbers."""
    squeezed = "".join(text.split()).encode("utf-8", "surrogatepass")
    digest = hashlib.blake2b(squeezed, digest_size=_DIGEST_BYTES, salt=seed.to_bytes(8, "little", signed=True))
    return int.from_bytes(digest.digest(), "big")


class Texts(Protocol):
    """Texts that are known by their digests."""

    def know(self, text: str) -> bool:
        """Whether this is one of the texts, white space aside."""


class KnownTexts:
    """Texts by their digests, white space aside.

    texts (iterable of str): the texts, which are not kept.
    """

    def __init__(self, texts: Iterable[str]):
        self._keys = frozenset(map(text_key, texts))

    def know(self, text: str) -> bool:
        """Whether this is one of the texts."""
        return text_key(text) in self._keys


def draw_pool(
    parsed: Iterable[Document | Failure],
    size: int,
    seed: int,
    max_length: int,
    known: Iterable[tuple[str, Texts]] = (),
) -> Pool:
    """Draw notes at random, each text once. At most `size` are held in memory, and the order of the notes is the same
    however they are ordered in their files.

    parsed (iterable of Document or Failure): the notes.
    size (int): how many to draw at most.
    seed (int): of the draw.
    max_length (int): longer texts are left out, in characters.
    known (iterable of (str, Texts)): texts to leave out, with the reason.
    RETURNS (Pool): the notes.
    """
    pool = Pool()
    known = list(known)
    # The largest key on top, to be replaced by any that is smaller.
    heap: list[tuple[int, Document]] = []
    keys: set[int] = set()
    for item in parsed:
        pool.read += 1
        if isinstance(item, Failure):
            told = item.reason.startswith(item.place)
            pool.leave_out("unreadable", item.reason if told else f"{item.place}: {item.reason}")
            continue
        reason = _unfit(item.text, max_length) or next((why for why, texts in known if texts.know(item.text)), None)
        key = text_key(item.text, seed)
        if reason or key in keys:
            pool.leave_out(reason or "repeated", item.place)
        elif len(heap) < size:
            heappush(heap, (-key, item))
            keys.add(key)
        elif key < -heap[0][0]:
            keys.add(key)
            keys.discard(-heappushpop(heap, (-key, item))[0])
    pool.documents = [document for _, document in sorted(heap, key=lambda pair: -pair[0])]
    return pool


def _unfit(text: str, max_length: int) -> str | None:
    if len(text) > max_length:
        return "too long"
    return None if any(map(str.isalpha, text)) else "no letters"
