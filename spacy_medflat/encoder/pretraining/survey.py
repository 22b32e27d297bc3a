"""A first look at all texts: how many there are, which are held out, and which characters they have."""

import hashlib
import heapq
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import MedflatError, amount, clipped
from .packing import code_points
from .passages import SeenTexts, read_passages
from .text_inputs import LeftOut, TextInput

# At most so many texts are held out, and of each so many characters looked at.
HELD_OUT_TEXTS = 2000
HELD_OUT_CHARACTERS = 510
_REPORT_EVERY = 1000


@dataclass
class InputCounts:
    """What an input gives.

    texts, characters (int): that are used, the held-out ones among them.
    left_out (LeftOut): the others.
    """

    texts: int = 0
    characters: int = 0
    left_out: LeftOut = field(default_factory=LeftOut)


@dataclass
class Survey:
    """What is known of the texts before the training.

    counts (dict of InputCounts): by the name of the input.
    held_out (dict of str): the beginnings of texts that are never trained on, by their digest.
    digest (str): SHA-256 of all texts in their order.
    frequency (int64 [0x110000]): how often each character stands in the texts, by its code point.
    """

    counts: dict[str, InputCounts]
    held_out: dict[int, str]
    digest: str
    frequency: NDArray[np.int64]

    @property
    def texts(self) -> int:
        """Texts of all inputs."""
        return sum(found.texts for found in self.counts.values())

    @property
    def characters(self) -> int:
        """Characters of all inputs."""
        return sum(found.characters for found in self.counts.values())


def survey_texts(
    inputs: Sequence[TextInput],
    held_out: float,
    progress: Callable[[str, int, int | None], Any] = lambda stage, done, total: None,
) -> Survey:
    """Read all texts once.

    The texts whose digests are lowest are held out: which these are depends on nothing but the texts.

    inputs (sequence of TextInput): the texts.
    held_out (float): share of the texts that is held out, 0 to 1; at least one text and at most `HELD_OUT_TEXTS`.
    progress (callable): called with a stage, the texts done in it, and None.
    RAISES (MedflatError): an input cannot be read, or there are not two different texts.
    """
    survey = Survey({}, {}, "", np.zeros(0x110000, dtype=np.int64))
    seen, digest, total = SeenTexts(), hashlib.sha256(), 0
    # The lowest digests, the highest of them first.
    lowest: list[tuple[int, str]] = []
    for given in inputs:
        counts = survey.counts[given.name] = InputCounts()
        for text, number in read_passages(given, seen, counts.left_out):
            counts.texts += 1
            counts.characters += len(text)
            digest.update(number.to_bytes(8, "little"))
            np.add.at(survey.frequency, code_points(text), 1)
            if len(lowest) < HELD_OUT_TEXTS:
                heapq.heappush(lowest, (-number, text[:HELD_OUT_CHARACTERS]))
            elif -number > lowest[0][0]:
                heapq.heapreplace(lowest, (-number, text[:HELD_OUT_CHARACTERS]))
            total += 1
            if total % _REPORT_EVERY == 0:
                progress("reading", total, None)
    if total < 2:
        reasons = sum((found.left_out.reasons for found in survey.counts.values()), Counter())
        left_out = "".join(f", {number:,} {reason}" for reason, number in reasons.most_common())
        first = next((text for found in survey.counts.values() for text in found.left_out.first.values()), "")
        raise MedflatError(
            f"{clipped(', '.join(survey.counts))}: {amount(total, 'text')}{left_out}, but two different ones are "
            f"needed, one to train on and one to hold out{first and f'; the first that is left out: {first}'}"
        )
    wanted = min(max(1, round(held_out * total)), HELD_OUT_TEXTS, total - 1)
    survey.held_out = {-number: text for number, text in heapq.nlargest(wanted, lowest)}
    survey.digest = digest.hexdigest()
    return survey
