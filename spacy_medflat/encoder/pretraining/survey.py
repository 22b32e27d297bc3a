"""A first look at all texts: how many there are, which are held out, and which characters they have."""

import hashlib
import heapq
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import MedflatError, clipped
from .texts import SeenTexts, TextInput, read_passages

# At most so many texts are held out, and of each so many characters looked at.
HELD_OUT_TEXTS = 2000
HELD_OUT_CHARACTERS = 510
_REPORT_EVERY = 1000


@dataclass
class InputCounts:
    """What an input gives.

    texts, characters (int): that are read.
    left_out (Counter): how many texts are not, by reason.
    """

    texts: int = 0
    characters: int = 0
    left_out: Counter[str] = field(default_factory=Counter)


@dataclass
class Survey:
    """What is known of the texts before the training.

    counts (dict of InputCounts): by the name of the input; held-out texts are among them.
    held_out (dict of str): texts that are never trained on, by their digest; only their beginnings.
    digest (str): SHA-256 of all texts in their order.
    frequency (int64 [0x110000]): of each character, by its code point.
    """

    counts: dict[str, InputCounts]
    held_out: dict[int, str]
    digest: str
    frequency: NDArray[np.int64]


def survey_texts(
    inputs: Sequence[TextInput],
    held_out: float,
    progress: Callable[[str, int, int | None], Any] = lambda stage, done, total: None,
) -> Survey:
    """Read all texts once.

    The texts whose digests are lowest are held out: which these are depends on nothing but the texts.

    inputs (sequence of TextInput): the texts.
    held_out (float): share of the texts that is held out, 0 to 1; at least one and at most `HELD_OUT_TEXTS`.
    progress (callable): called with a stage, the texts done in it, and None.
    RAISES (MedflatError): an input cannot be read, or there are not two different texts.
    """
    seen = SeenTexts()
    counts: dict[str, InputCounts] = {}
    # The lowest digests, the highest of them first.
    lowest: list[tuple[int, str]] = []
    digest = hashlib.sha256()
    frequency = np.zeros(0x110000, dtype=np.int64)
    total = 0
    for given in inputs:
        found = counts[given.name] = InputCounts()
        for text, number in read_passages(given, seen, found.left_out):
            found.texts += 1
            found.characters += len(text)
            digest.update(number.to_bytes(8, "little"))
            np.add.at(frequency, np.frombuffer(text.encode("utf-32-le"), dtype="<u4"), 1)
            if len(lowest) < HELD_OUT_TEXTS:
                heapq.heappush(lowest, (-number, text[:HELD_OUT_CHARACTERS]))
            elif -number > lowest[0][0]:
                heapq.heapreplace(lowest, (-number, text[:HELD_OUT_CHARACTERS]))
            total += 1
            if total % _REPORT_EVERY == 0:
                progress("reading", total, None)
    if total < 2:
        reasons = sum((found.left_out for found in counts.values()), Counter())
        raise MedflatError(
            f"{clipped(', '.join(counts))}: {total} different texts, but one is needed to train on and one to hold "
            f"out{''.join(f'; {number:,} {reason}' for reason, number in reasons.most_common())}"
        )
    wanted = min(max(1, round(held_out * total)), HELD_OUT_TEXTS, total - 1)
    kept = heapq.nlargest(wanted, lowest)
    return Survey(counts, {-number: text for number, text in kept}, digest.hexdigest(), frequency)
