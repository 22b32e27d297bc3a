"""Which scored spans become entities, which may be entities, and which are none."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

import numpy as np

from ..ner.spans import Candidates, Nesting, logit, resolve

Agree = Literal["mean", "all"]


class Scored(NamedTuple):
    """A span that pipelines found.

    start, end (int): characters, end exclusive.
    label (str): its type.
    low, high (float): the scores by which it must be sure, and by which it may be dropped.
    """

    start: int
    end: int
    label: str
    low: float
    high: float


Found = Mapping[tuple[int, int, str], float]
"""The spans that a pipeline found in a text (start and end character, label) with their scores."""


def merge(found: Sequence[Found], labels: Sequence[frozenset[str]], agree: Agree) -> list[Scored]:
    """Put together what pipelines found in a text. One that knows a label and did not find a span gave it 0.

    found (sequence of Found): of each pipeline.
    labels (sequence of frozenset of str): those that each knows.
    agree (str): `mean`, the mean score decides; `all`, the lowest must be sure, and only a span that all of them find
        unlikely is dropped.
    RETURNS (list of Scored): in order of start, longer before shorter, then label.
    """
    scores: defaultdict[tuple[int, int, str], list[float]] = defaultdict(list)
    for spans in found:
        for span, score in spans.items():
            scores[span].append(score)
    voices = Counter(label for known in labels for label in known)
    merged = []
    for start, end, label in sorted(scores, key=lambda span: (span[0], -span[1], span[2])):
        given = scores[start, end, label]
        lowest = min(given) if len(given) >= voices[label] else 0.0
        mean = round(sum(given) / max(voices[label], len(given)), 6)
        low, high = (mean, mean) if agree == "mean" else (lowest, max(given))
        merged.append(Scored(start, end, label, low, high))
    return merged


class Choice(NamedTuple):
    """What is to be learnt of a text; all other spans of it are no entities.

    sure (list of Scored): entities.
    unknown (list of Scored): spans that may be entities or not.
    """

    sure: list[Scored]
    unknown: list[Scored]


def choose(spans: Sequence[Scored], sure: float, unlikely: float, nesting: Nesting = "all") -> Choice:
    """Part the spans of a text.

    sure (float): what is at least this sure is an entity, unless the nesting does not let it stand beside a better one.
    unlikely (float): what is less likely is none.
    nesting (str): see `resolve`.
    """
    likely = [span for span in spans if span.high >= unlikely]
    best = [span for span in likely if span.low >= sure]
    if nesting != "all" and best:
        start, end = (np.array([getattr(span, name) for span in best]) for name in ("start", "end"))
        order = np.arange(len(best))
        # The index in place of a label: candidates with equal scores stay in their order.
        kept = resolve(Candidates(start, end, order, logit([span.low for span in best])), nesting).label
        best = [best[i] for i in kept.tolist()]
    taken = set(best)
    return Choice(best, [span for span in likely if span not in taken])


@dataclass
class Quota:
    """Lets the best sure spans of each label pass, and says no to the others.

    cutoff (dict): the lowest score that passes, by label.
    ties (Counter): how many more with exactly this score pass, in the order in which they come.
    """

    cutoff: dict[str, float]
    ties: Counter[str] = field(default_factory=Counter)

    def apply(self, choice: Choice) -> Choice:
        """The choice with its sure spans that do not pass among the unknown ones. It counts those that pass."""
        passed = [self._passes(span) for span in choice.sure]
        sure = [span for span, passes in zip(choice.sure, passed, strict=True) if passes]
        over = [span for span, passes in zip(choice.sure, passed, strict=True) if not passes]
        unknown = sorted([*choice.unknown, *over], key=lambda span: (span.start, -span.end, span.label))
        return Choice(sure, unknown)

    def _passes(self, span: Scored) -> bool:
        cutoff = self.cutoff.get(span.label, 0.0)
        if span.low != cutoff or span.label not in self.cutoff:
            return span.low > cutoff
        self.ties[span.label] -= 1
        return self.ties[span.label] >= 0


def make_quota(choices: Iterable[Choice], most: int | None, share: float | None) -> Quota:
    """Find the scores from which on the sure spans of each label are within limits.

    choices (iterable of Choice): of all texts. Memory: one count for each label and score.
    most (int or None): sure spans of a label at most.
    share (float or None): the share of a label's sure spans that is taken at most; at least one span is.
    """
    counts: defaultdict[str, Counter[float]] = defaultdict(Counter)
    for choice in choices:
        for span in choice.sure:
            counts[span.label][span.low] += 1
    quota = Quota({})
    for label, of_score in counts.items():
        total = of_score.total()
        left = min(total if most is None else most, total if share is None else max(1, int(share * total)))
        if left == total:
            continue
        for score in sorted(of_score, reverse=True):
            if of_score[score] > left:
                quota.cutoff[label], quota.ties[label] = score, left
                break
            left -= of_score[score]
    return quota
